// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds waiting for what comes about by itself.
const patience = 40 * time.Second

// The two people of the image.
const (
	alice   = 1000
	mallory = 1001
)

// cgroups is where the unified hierarchy is mounted.
const cgroups = "/sys/fs/cgroup"

// output runs a program and returns what it printed. An error has what it
// complained of.
func output(cmd *exec.Cmd) (string, error) {
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s%s", strings.Join(cmd.Args, " "), err, &out, &complaints)
	}
	return out.String(), nil
}

// must runs a program, and ends the check if that fails.
func must(t *T, name string, args ...string) string {
	out, err := output(exec.Command(name, args...))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return strings.TrimSpace(out)
}

// as returns a command that a person runs, with their own service manager.
func as(uid uint32, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	cmd.Env = []string{"PATH=/usr/bin:/bin", fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", uid), "HOME=" + home(uid)}
	cmd.Dir = "/"
	return cmd
}

func home(uid uint32) string {
	return map[uint32]string{alice: "/home/alice", mallory: "/home/mallory"}[uid]
}

// mustAs runs a program as a person.
func mustAs(t *T, uid uint32, name string, args ...string) {
	if _, err := output(as(uid, name, args...)); err != nil {
		t.Fatalf("as %d: %v", uid, err)
	}
}

// eventually waits until something holds.
func eventually(t *T, what string, holds func() error) { within(t, patience, what, holds) }

// within waits until something holds, for so long.
func within(t *T, limit time.Duration, what string, holds func() error) {
	var err error
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(150 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Fatalf("it did not come to pass that %s: %v", what, err)
}

// write writes a file, and the directories that it is in.
func write(t *T, path, text string) {
	t.Must(os.MkdirAll(filepath.Dir(path), 0o755))
	t.Must(os.WriteFile(path, []byte(text), 0o644))
}

// execStart writes a command as unit files have it.
func execStart(command []string) string {
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `$$`, `%`, `%%`).Replace(word) + `"`
	}
	return strings.Join(quoted, " ")
}

// process is what /proc says of one.
type process struct {
	pid    int
	exe    string
	comm   string
	cgroup string // below the root of the unified hierarchy
	uid    uint32
	// start is since boot.
	start time.Duration
}

// userHZ is the unit of times in /proc/[pid]/stat, in Hz.
const userHZ = 100

var errGone = errors.New("gone")

func inspect(pid int) (process, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	p := process{pid: pid}
	info, err := os.Stat(dir)
	if err != nil {
		return p, errGone
	}
	p.uid = info.Sys().(*syscall.Stat_t).Uid
	if p.exe, err = os.Readlink(dir + "exe"); err != nil {
		return p, errGone // or a kernel thread, or a zombie
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return p, errGone
	}
	open, closed := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || closed < open {
		return p, fmt.Errorf("%sstat: %q", dir, stat)
	}
	p.comm = string(stat[open+1 : closed])
	fields := strings.Fields(string(stat[closed+1:]))
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return p, err
	}
	p.start = time.Duration(ticks) * time.Second / userHZ
	text, err := os.ReadFile(dir + "cgroup")
	if err != nil {
		return p, errGone
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			p.cgroup = path
		}
	}
	return p, nil
}

// processes returns all that are not the kernel's own.
func processes(t *T) []process {
	entries, err := os.ReadDir("/proc")
	t.Must(err)
	var all []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := inspect(pid)
		if errors.Is(err, errGone) {
			continue
		}
		t.Must(err)
		all = append(all, p)
	}
	return all
}

// find returns the one process of an executable in cgroups that match a glob.
func find(t *T, exe, cgroup string) process {
	var found []process
	for _, p := range processes(t) {
		if ok, err := filepath.Match(cgroup, p.cgroup); p.exe == exe && ok && err == nil {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d processes execute %s in %s: %+v", len(found), exe, cgroup, found)
	}
	return found[0]
}

// now returns the time since boot on the clock of processes' start times.
func now(t *T) time.Duration {
	b, err := os.ReadFile("/proc/uptime")
	t.Must(err)
	seconds, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
	t.Must(err)
	return time.Duration(seconds * float64(time.Second))
}

// untilAge waits until a process has reached an age.
func untilAge(t *T, p process, age time.Duration) {
	time.Sleep(p.start + age - now(t))
}
