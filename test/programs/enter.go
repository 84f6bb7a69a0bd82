// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/netns"
)

// jobEnv has the job of a process that Start made.
const jobEnv = "LANDLOCKD_PROGRAMS_JOB"

// traces is what the files of strace begin with, in the home directory.
const traces = "trace"

// nobody is who programs run as that need not be root.
const nobody = 65534

// traced are the system calls that say which sandbox a task is in.
const traced = "landlock_create_ruleset,landlock_add_rule,landlock_restrict_self," +
	"clone,clone3,?fork,?vfork"

// job is what a process does that Start made.
type job struct {
	Program
	// Tree and Home are directories, and Empty is an empty one.
	Tree, Home, Empty string
}

// EnterIfAsked is called first by programs that call Start: in the process that
// Start makes of them it does not return.
func EnterIfAsked() {
	text, asked := os.LookupEnv(jobEnv)
	if !asked {
		return
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.enter()
	}
	fmt.Fprintln(os.Stderr, "enter the tree of programs:", err)
	os.Exit(1)
}

// enter makes the tree the system of this process, which has a mount namespace and
// a network of its own, and executes strace.
func (j *job) enter() error {
	if err := errors.Join(j.mount(), netns.LoopbackUp()); err != nil {
		return err
	}
	env := []string{
		"PATH=/usr/bin:/usr/sbin", "HOME=/home", "LC_ALL=C", "XDG_RUNTIME_DIR=/run/user",
		"TMPDIR=/tmp", "USER=nobody",
	}
	id := nobody
	if j.Root {
		id = 0
	}
	if j.Setup != "" {
		cmd := exec.Command("/usr/bin/sh", "-e", "-c", j.Setup)
		cmd.Env = env
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)},
		}
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("prepare: %w\n%s", err, text)
		}
	}
	args := []string{
		"strace", "--kill-on-exit", "--quiet=attach,personality", "--signal=none",
		"--const-print-style=raw", "--decode-fds=path", "--pidns-translation",
		"--follow-forks", "--output-separately", "--output=" + traces, "--trace=" + traced,
	}
	if j.Stop > 0 {
		args = append(args, "--inject=landlock_restrict_self:signal=SIGSTOP:when="+strconv.Itoa(j.Stop))
	}
	args = append(args, "/usr/bin/sh", "-e", "-c", j.Run)
	err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(id), syscall.Setuid(id),
		// Another user does not inherit it.
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0))
	if err != nil {
		return err
	}
	return syscall.Exec("/usr/bin/strace", args, env)
}

// mount puts the tree over everything else, with what matters on a host and no package has:
// nobody listens on the sockets. What is unpacked stays as it is.
func (j *job) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	if err := unix.Mount("programs", j.Empty, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount a root directory: %w", err)
	}
	below := func(name string) string { return filepath.Join(j.Empty, name) }
	for _, name := range []string{
		"usr", "etc", "proc", "dev", "home", "root", "run/user", "tmp", "var/tmp", "var/log",
		"var/lib/suricata/rules", "boot", "root/.ssh", "var/log/journal", "var/spool/cron",
		"run/dbus", "run/systemd",
	} {
		if err := os.MkdirAll(below(name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, below(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{
		"run/docker.sock", "run/dbus/system_bus_socket", "run/systemd/private",
	} {
		if err := unix.Mknod(below(name), unix.S_IFSOCK|0o666, 0); err != nil {
			return fmt.Errorf("make /%s: %w", name, err)
		}
	}
	if err := errors.Join(
		os.Chmod(below("tmp"), 0o1777), os.Chmod(below("var/tmp"), 0o1777),
		os.Chmod(below("run/user"), 0o700), os.Chown(below("run/user"), nobody, nobody),
	); err != nil {
		return err
	}
	for _, m := range []struct {
		source, at string
		flags      uintptr
	}{
		{filepath.Join(j.Tree, "usr"), "usr", unix.MS_RDONLY},
		{filepath.Join(j.Tree, "etc"), "etc", unix.MS_RDONLY},
		{j.Home, "home", 0},
		{"/dev", "dev", 0},
	} {
		err := unix.Mount(m.source, below(m.at), "", unix.MS_BIND|unix.MS_REC, "")
		if err == nil && m.flags != 0 {
			err = unix.Mount("", below(m.at), "", unix.MS_BIND|unix.MS_REMOUNT|m.flags, "")
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.source, err)
		}
	}
	if err := unix.Mount("proc", below("proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// As for the root directory of a system that an initramfs starts: it is that of
	// the whole namespace then, and programs that make namespaces of their own see
	// it like this too.
	if err := os.Chdir(j.Empty); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root directory: %w", err)
	}
	return errors.Join(unix.Chroot("."), os.Chdir("/home"))
}
