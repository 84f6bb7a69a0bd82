// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// tree is a directory that looks like a proc file system.
type tree struct {
	t   testing.TB
	dir string
}

// fakeTask is one process or thread of a tree.
type fakeTask struct {
	pid, ppid    int
	comm         string
	state        byte
	flags        uint32
	start        uint64 // ticks
	stack        uint64
	attr         string // of the leader; "-" for no file, "--" for no directory
	threads      map[int]string
	threadFlags  map[int]uint32
	deadThreads  map[int]bool
	status       string
	threadStatus map[int]string // instead of status
	exe          string
	cgroup       string
	countThreads int // instead of the number of threads
}

func newTree(t testing.TB) *tree {
	tr := &tree{t, t.TempDir()}
	if err := os.Symlink("1", filepath.Join(tr.dir, "self")); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr *tree) write(text string, path ...string) {
	tr.t.Helper()
	p := filepath.Join(append([]string{tr.dir}, path...)...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func statLine(tid, ppid int, comm string, state byte, flags uint32, threads int, start, stack uint64) string {
	return fmt.Sprintf("%d (%s) %c %d 1 1 0 -1 %d 1 0 0 0 0 0 0 0 20 0 %d 0 %d 100 10 18446744073709551615 4096 8192 %d 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		tid, comm, state, ppid, flags, threads, start, stack)
}

func statusText(uid, noNewPrivs, seccomp int) string {
	return fmt.Sprintf("Name:\tfake\nUid:\t7\t%d\t8\t9\nGroups:\t\nNoNewPrivs:\t%d\nSeccomp:\t%d\n", uid, noNewPrivs, seccomp)
}

func (tr *tree) put(f fakeTask) {
	tr.t.Helper()
	pid := strconv.Itoa(f.pid)
	if f.comm == "" {
		f.comm = "fake"
	}
	if f.state == 0 {
		f.state = 'S'
	}
	n := 1 + len(f.threads)
	if f.countThreads != 0 {
		n = f.countThreads
	}
	tr.write(statLine(f.pid, f.ppid, f.comm, f.state, f.flags, n, f.start, f.stack), pid, "stat")
	if f.status == "" {
		f.status = statusText(os.Getuid(), 1, 2)
	}
	tr.write(f.status, pid, "status")
	tr.write(f.cgroup, pid, "cgroup")
	os.Remove(filepath.Join(tr.dir, pid, "exe"))
	if f.exe != "" {
		if err := os.Symlink(f.exe, filepath.Join(tr.dir, pid, "exe")); err != nil {
			tr.t.Fatal(err)
		}
	}
	tr.attr(f.attr, pid)
	if len(f.threads) > 0 {
		tr.thread(f, f.pid, f.attr)
	}
	for tid, attr := range f.threads {
		tr.thread(f, tid, attr)
	}
}

func (tr *tree) thread(f fakeTask, tid int, attr string) {
	tr.t.Helper()
	state := f.state
	if f.deadThreads[tid] {
		state = 'Z'
	}
	tr.write(statLine(tid, f.ppid, f.comm, state, f.threadFlags[tid], 1+len(f.threads), f.start+1, f.stack),
		strconv.Itoa(f.pid), "task", strconv.Itoa(tid), "stat")
	status := f.threadStatus[tid]
	if status == "" {
		status = f.status
	}
	tr.write(status, strconv.Itoa(f.pid), "task", strconv.Itoa(tid), "status")
	tr.attr(attr, strconv.Itoa(f.pid), "task", strconv.Itoa(tid))
}

func (tr *tree) attr(text string, path ...string) {
	tr.t.Helper()
	at := func(more ...string) []string { return append(append([]string{}, path...), more...) }
	dir := filepath.Join(append([]string{tr.dir}, at("attr", "landlock")...)...)
	os.RemoveAll(dir)
	switch text {
	case "--":
		os.MkdirAll(filepath.Dir(dir), 0o755)
	case "-":
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tr.t.Fatal(err)
		}
	default:
		tr.write(text, at("attr", "landlock", "domain")...)
	}
}

func (tr *tree) remove(pid int) {
	tr.t.Helper()
	if err := os.RemoveAll(filepath.Join(tr.dir, strconv.Itoa(pid))); err != nil {
		tr.t.Fatal(err)
	}
}

var testKernel = scan.Kernel{Release: "6.99-test", Landlock: scan.Enabled, ABI: 9}

func (tr *tree) open(f *form, absentIsOut bool) *Source {
	tr.t.Helper()
	s, err := open(Options{ProcFS: tr.dir, SysFS: tr.dir}, testKernel, func(*probe) (dialect, error) {
		return dialect{form: f, file: "domain", absentIsOut: absentIsOut}, nil
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { s.Close() })
	return s
}

func mustScan(t testing.TB, s *Source) *scan.Snapshot {
	t.Helper()
	snap, err := s.Scan(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func mustFind(t testing.TB, snap *scan.Snapshot, pid int32) *scan.Process {
	t.Helper()
	p := snap.Find(pid)
	if p == nil {
		t.Fatalf("process %d is not in the snapshot of %d processes", pid, len(snap.Processes))
	}
	return p
}
