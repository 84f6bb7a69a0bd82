// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
)

// rooted is what a thread with a root directory of its own says of itself.
type rooted struct {
	Name     string
	PID, TID int
	// Makes says by directory, as the thread finds it, whether it can make a file
	// there. Those that it does not find are left out.
	Makes map[string]bool
}

// rootsHandled are the rights of the domain that rooted threads are in. What its one
// rule is on, it grants all of.
const rootsHandled = writeFile | readDir | makeReg | refer

const (
	readDir = 1 << 3
	refer   = 1 << 13
)

// rootsRole makes directories below BASE, enters a domain whose one rule is on one
// of them, and has processes in it that have root directories of their own:
// roots LAYOUT BASE ORDER THREADS, ORDER being the names of root directories. With
// THREADS they are threads of one process.
func rootsRole(args []string) error {
	layout, base, order, threads := args[0], args[1], strings.Split(args[2], ","), args[3] == "true"
	exe, err := os.Executable() // while its path is right
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	roots, granted, err := layOutRoots(layout, base)
	if err != nil {
		return fmt.Errorf("lay out %s: %w", layout, err)
	}
	if err := landlock.NoNewPrivs(); err != nil {
		return err
	}
	fd, err := landlock.CreateRuleset(access.Rights{access.FS: rootsHandled})
	if err != nil {
		return err
	}
	if err := landlock.AllowBeneath(fd, granted, rootsHandled); err != nil {
		return err
	}
	if err := landlock.RestrictThread(fd); err != nil {
		return err
	}
	unix.Close(fd)
	if threads {
		if err := startRooted(exe, "rooted-threads", base, order, roots); err != nil {
			return err
		}
		return untilStdinEnds()
	}
	for _, name := range order {
		if err := startRooted(exe, "rooted", base, []string{name}, roots); err != nil {
			return err
		}
	}
	return untilStdinEnds()
}

// startRooted starts a process that gets some root directories, and passes on what
// it says: a line for each.
func startRooted(exe, role, base string, names []string, roots map[string]int) error {
	c := exec.Command(exe, roleArg, role, strings.Join(names, ","), base)
	c.Stdin, c.Stderr = os.Stdin, os.Stderr
	for _, name := range names {
		fd, found := roots[name]
		if !found {
			return fmt.Errorf("no root directory %q", name)
		}
		c.ExtraFiles = append(c.ExtraFiles, os.NewFile(uintptr(fd), name))
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	for range names {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s of %v: %w", role, names, err)
		}
		fmt.Print(line)
	}
	return nil
}

// layOutRoots returns descriptors of root directories by name, and of the directory
// that the rule is on.
func layOutRoots(layout, base string) (roots map[string]int, granted int, err error) {
	path := func(names ...string) string {
		return filepath.Join(append([]string{base},
			names...)...)
	}
	for _, dir := range []string{path("a", "r"), path("b", "r"), path("n", "jail"),
		path("n", "old")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, -1, err
		}
	}
	open := func(name string) int {
		fd, e := unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		err = errors.Join(err, e)
		return fd
	}
	own := func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	switch layout {
	case "chroot":
		roots = map[string]int{"in": open(path("a")), "out": open("/")}
		return roots, open(path("a")), err
	case "bind": // one directory by two mounts
		if err := errors.Join(own(), unix.Mount(path("a", "r"), path("b", "r"), "", unix.MS_BIND,
			"")); err != nil {
			return nil, -1, err
		}
		roots = map[string]int{"in": open(path("a", "r")), "out": open(path("b", "r"))}
		return roots, open(path("a")), err
	case "pivot":
		if err := errors.Join(own(), unix.Mount(path("n"), path("n"), "", unix.MS_BIND, ""),
			unix.PivotRoot(path("n"), path("n", "old")), unix.Chdir("/")); err != nil {
			return nil, -1, err
		}
		roots = map[string]int{"in": open("/jail"), "out": open("/"), "old": open("/old")}
		granted = open("/jail")
		// Programs are executed from there.
		return roots, granted, errors.Join(err, unix.Chroot("/old"), unix.Chdir("/"))
	}
	return nil, -1, fmt.Errorf("no layout %q", layout)
}

// stand gives the calling thread the root directory that a descriptor is of, and
// says what it can do there.
func stand(name string, fd int, base string) (string, error) {
	if err := errors.Join(unix.Fchdir(fd), unix.Chroot("."), unix.Chdir("/")); err != nil {
		return "", err
	}
	r := rooted{Name: name, PID: unix.Getpid(), TID: unix.Gettid(), Makes: map[string]bool{}}
	for _, dir := range []string{"/", filepath.Join(base, "a"), filepath.Join(base, "a", "r"),
		filepath.Join(base, "n", "jail"), "/jail"} {
		file := filepath.Join(dir, fmt.Sprintf(".landlockd-%d", r.TID))
		fd, err := unix.Open(file, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		switch err {
		case nil:
			unix.Close(fd)
			if err := unix.Unlink(file); err != nil {
				return "", err
			}
			r.Makes[dir] = true
		case unix.EACCES:
			r.Makes[dir] = false
		case unix.ENOENT:
		default:
			return "", fmt.Errorf("make %s: %w", file, err)
		}
	}
	line, err := json.Marshal(r)
	return string(line), err
}

// rootedRole is a process with a root directory of its own.
func rootedRole(args []string) error {
	const given = 3
	line, err := stand(args[0], given, args[1])
	if err != nil {
		return err
	}
	fmt.Println(line)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// rootedThreadsRole is a process of which threads have root directories of their own.
func rootedThreadsRole(args []string) error {
	said := make(chan error)
	for i, name := range strings.Split(args[0], ",") {
		const given = 3
		var one func()
		one = func() {
			runtime.LockOSThread()
			if unix.Gettid() == unix.Getpid() {
				go one() // held here, the leader cannot be the next one's thread
				select {}
			}
			err := unix.Unshare(unix.CLONE_FS)
			if err == nil {
				var line string
				if line, err = stand(name, given+i, args[1]); err == nil {
					fmt.Println(line)
				}
			}
			said <- err
			select {}
		}
		go one()
		if err := <-said; err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// leaderlessRole is a process with a root directory of its own whose leader has exited.
func leaderlessRole(args []string) error {
	if err := errors.Join(unix.Chroot(args[0]), unix.Chdir("/")); err != nil {
		return err
	}
	exits := make(chan struct{})
	var one func()
	one = func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			go one() // held here, this thread cannot be the next one's
			select {}
		}
		close(exits)
		_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // of this thread alone
	}
	go one()
	<-exits
	return untilStdinEnds()
}

// saidOf returns what the threads of a rootsRole have said.
func saidOf(t *testing.T, p *process) []rooted {
	t.Helper()
	var all []rooted
	for line := range strings.Lines(p.stdout.String()) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var r rooted
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
