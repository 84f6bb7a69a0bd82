// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// checkAttr checks the attribute of our kernel patches by plain reads.
func checkAttr(t *T) {
	if !hasLandlockDir(t, os.Getpid()) {
		t.Fatalf("/proc/self/attr/landlock is not there")
	}
	attrValues(t)
	attrThreads(t)
	attrOwner(t)
	attrFromDomain(t)
	attrFile(t)
	attrIDs(t)
	attrCurrent(t)
}

// attrValues: none outside of a domain; in one, an ID that only tasks of the
// same domain share.
func attrValues(t *T) {
	if a := domainOf(1); !a.isNone() {
		t.Errorf("PID 1: %v, want none", a)
	}
	if a := domainOf(kthreadd); !a.isNone() {
		t.Errorf("a kernel thread: %v, want none", a)
	}
	owners := make(map[string]int)
	for depth := range 6 {
		twins := startSleepers(t, depth, 2)
		a, b := domainOf(twins[0].pid), domainOf(twins[1].pid)
		if a != b {
			t.Errorf("depth %d: two processes of one domain: %v and %v", depth, a, b)
		}
		if depth == 0 {
			if !a.isNone() {
				t.Errorf("depth 0: %v, want none", a)
			}
			continue
		}
		if !a.isID() {
			t.Errorf("depth %d: %v, want an ID", depth, a)
			continue
		}
		if other, ok := owners[a.text]; ok {
			t.Errorf("depths %d and %d have one ID", other, depth)
		}
		owners[a.text] = depth
		if again := domainOf(twins[0].pid); again != a {
			t.Errorf("depth %d: %v at first, then %v", depth, a, again)
		}
	}
}

// kthreadd is the PID of the parent of all kernel threads.
const kthreadd = 2

// attrThreads: the file below task/ is that of the one thread.
func attrThreads(t *T) {
	thread := func(depth int) int {
		tid, end := startRestrictedThread(t, depth)
		t.Cleanup(end)
		return tid
	}
	pid := os.Getpid()
	if a := domainOfTask(pid, thread(0)); !a.isNone() {
		t.Errorf("a free thread: %v, want none", a)
	}
	a, b := domainOfTask(pid, thread(1)), domainOfTask(pid, thread(1))
	if !a.isID() || !b.isID() || a == b {
		t.Errorf("two threads that restricted themselves: %v and %v, want two IDs", a, b)
	}
}

// attrOwner: another user's tasks take CAP_SYS_PTRACE.
func attrOwner(t *T) {
	mine := startSleepers(t, 1, 1)[0].pid
	free := startSleepers(t, 0, 1)[0].pid
	const ptrace = 1 << unix.CAP_SYS_PTRACE
	role := []string{"read", fmt.Sprint(mine), fmt.Sprint(free)}
	for _, who := range []struct {
		name    string
		cmd     *exec.Cmd
		allowed bool
	}{
		{"root", exec.Command(self, role...), true},
		{"nobody", asNobodyCommand(0, role...), false},
		{"nobody with all capabilities but one", asNobodyCommand((1<<38-1)&^ptrace, role...), false},
		{"nobody with CAP_SYS_PTRACE", asNobodyCommand(ptrace, role...), true},
	} {
		out, err := who.cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", who.name, err, out)
			continue
		}
		got := strings.Fields(string(out))
		want := []string{fmt.Sprintf("%q", domainOf(mine).text), `"none\n"`}
		if !who.allowed {
			want = []string{"EACCES", "EACCES"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s reads %v, want %v", who.name, got, want)
		}
	}
}

// attrFromDomain: who is in a domain reads only what is nested in it, and never
// itself; who is in none does not read itself either.
func attrFromDomain(t *T) {
	free := startSleepers(t, 0, 1)[0].pid
	other := startSleepers(t, 1, 1)[0].pid
	// A thread reads itself through the file of its own: thread-self.
	const own = "thread-self/attr/landlock/domain"
	inDomain(t, 0, func() {
		if a := readAttribute(own); !a.denied() {
			t.Errorf("a task outside of every domain reads itself: %v, want a refusal", a)
		}
	})
	inDomain(t, 2, func() {
		sibling := startSleeper(t).pid
		if err := restrictMore(t, 1, func(nested int) {
			if a := domainOf(nested); !a.isID() {
				t.Errorf("from a domain, a process nested in it: %v, want an ID", a)
			}
		}); err != nil {
			t.Errorf("nested domain: %v", err)
		}
		for what, a := range map[string]attribute{
			"itself":                      readAttribute(own),
			"a process in the own domain": domainOf(sibling),
			"a process in another domain": domainOf(other),
			"a process in none":           domainOf(free),
			"PID 1":                       domainOf(1),
			"a thread of the own process": domainOfTask(os.Getpid(), os.Getpid()),
		} {
			if !a.denied() {
				t.Errorf("from a domain, %s: %v, want a refusal", what, a)
			}
		}
	})
	inDomain(t, 1, func() {
		out, err := exec.Command(self, "read-self").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "EACCES" {
			t.Errorf("a sandboxed process reads itself: %s %v, want EACCES", out, err)
		}
	})
}

// restrictMore calls f, on the calling thread, with the PID of a process in a
// domain that is nested depth deeper than that of the thread.
func restrictMore(t *T, depth int, f func(pid int)) error {
	cmd := exec.Command(self, "sleep-nested", fmt.Sprint(depth))
	s, err := newSleeper(cmd)
	if err != nil {
		return err
	}
	t.Cleanup(s.stop)
	f(s.pid)
	return nil
}

// attrFile: the file behaves like a file of one line that cannot be written.
func attrFile(t *T) {
	pid := startSleepers(t, 1, 1)[0].pid
	path := fmt.Sprintf("/proc/%d/attr/landlock/domain", pid)
	info, err := os.Stat(path)
	t.Must(err)
	if info.Mode() != 0o444 {
		t.Errorf("mode %v, want 0444", info.Mode())
	}
	whole := domainOf(pid).text
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	t.Must(err)
	defer unix.Close(fd)
	var pieces strings.Builder
	for one := make([]byte, 1); ; {
		n, err := unix.Read(fd, one)
		t.Must(err)
		if n == 0 {
			break
		}
		pieces.Write(one)
	}
	if pieces.String() != whole {
		t.Errorf("byte by byte %q, in one read %q", pieces.String(), whole)
	}
	if w, err := unix.Open(path, unix.O_WRONLY, 0); err == nil {
		if _, err = unix.Write(w, []byte("none\n")); err == nil {
			t.Errorf("the attribute can be written")
		}
		unix.Close(w)
	}
	// Other names do not exist, and a task that ended cannot be read.
	if a := readAttribute(fmt.Sprintf("%d/attr/landlock/current", pid)); errnoOf(a.err) != unix.ENOENT {
		t.Errorf("attr/landlock/current: %v, want ENOENT", a)
	}
	gone := startSleepers(t, 1, 1)[0]
	held, err := unix.Open(fmt.Sprintf("/proc/%d/attr/landlock/domain", gone.pid), unix.O_RDONLY, 0)
	t.Must(err)
	defer unix.Close(held)
	gone.stop()
	if _, err := unix.Read(held, make([]byte, 64)); errnoOf(err) != unix.ESRCH {
		t.Errorf("a task that ended: %v, want ESRCH", err)
	}
}

// attrIDs: many domains have many IDs, though their memory is used again.
func attrIDs(t *T) {
	const domains = 300
	seen := make(map[string]bool)
	steps := make(map[string]int)
	last := uint64(0)
	for i := range domains {
		tid, end := startRestrictedThread(t, 1)
		a := domainOfTask(os.Getpid(), tid)
		end()
		if !a.isID() || seen[a.text] {
			t.Fatalf("domain %d of %d: %v, seen before: %v", i, domains, a, seen[a.text])
		}
		seen[a.text] = true
		var id uint64
		fmt.Sscanf(a.text, "%x", &id)
		if i > 0 {
			steps[stepKind(last, id)]++
		}
		last = id
	}
	t.Fact("id_steps", fmt.Sprint(steps))
	t.Fact("id_example", strings.TrimSpace(domainOf(startSleepers(t, 1, 1)[0].pid).text))
}

// stepKind says how one ID follows another: whoever documents the IDs of a
// kernel reads it in the output.
func stepKind(a, b uint64) string {
	switch {
	case b > a && b-a <= 1024:
		return "small"
	case b > a:
		return "large"
	default:
		return "back"
	}
}
