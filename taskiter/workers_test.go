// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// TestOutsideWorkers: a thread that the kernel made for a process acts with what
// the process was when it had it made.
func TestOutsideWorkers(t *testing.T) {
	if b, err := os.ReadFile("/proc/sys/kernel/io_uring_disabled"); err == nil && string(b) == "2\n" {
		t.Fatal("this test needs io_uring: sysctl kernel.io_uring_disabled=0")
	}
	s := openSource(t, Options{})
	top := tree(t, "dir")
	file := filepath.Join(top, "dir", "f")
	for _, c := range []struct {
		name    string
		ops     []string
		reads   bool // what it reads by the ring
		outside access.Answer
		workers int32
	}{
		{"before the sandbox", []string{"ring", "restrict", "ring-read", file}, true, access.Yes, 1},
		{"in it", []string{"restrict", "ring", "ring-read", file}, false, access.No, 1},
		{"in an outer one", []string{"open", top, "restrict", "ring", "open", "/proc", "restrict", "ring-read", file}, true, access.Yes, 1},
		{"by another thread", []string{"thread", "ring", "restrict", "ring-read", file}, true, access.No, 1},
		{"none", []string{"restrict", "try", file}, false, access.No, 0},
	} {
		a := startActor(t, append([]string{"rooted"}, c.ops...)...)
		if reads := a.tid == 0; reads != c.reads {
			t.Fatalf("%s: the ring reads: %v, errno %d: the test is wrong", c.name, reads, a.tid)
		}
		snap, p := scanSettled(t, s, a.pid)
		if p.NumWorkers != c.workers || snap.OutsideWorker(p) != c.outside {
			t.Errorf("%s: %d workers, outside: %v, want %d, %v", c.name, p.NumWorkers, snap.OutsideWorker(p), c.workers, c.outside)
		}
		if want := c.name == "by another thread"; (p.State == scan.Partial) != want {
			t.Errorf("%s: %v", c.name, p.State)
		}
		for _, w := range snap.WorkersOf(p) {
			if w.TID <= a.pid || w.Start < p.Start || w.Real.State == scan.Unknown {
				t.Errorf("%s: worker %+v", c.name, w)
			}
		}
	}
}

// TestFactsOfAllTasks: what keeps one thread from things does not keep the process.
func TestFactsOfAllTasks(t *testing.T) {
	s := openSource(t, Options{})
	for _, c := range []struct {
		name         string
		ops          []string
		uids         []uint32
		nnp, seccomp scan.Extent
	}{
		{"alike", []string{"restrict", "seccomp", "thread"}, []uint32{0}, scan.OfAll, scan.OfAll},
		{"the second thread has less", []string{"thread", "restrict", "seccomp", "uid", "65534"}, []uint32{0, 65534}, scan.OfSome, scan.OfSome},
		{"neither", []string{"thread"}, []uint32{0}, scan.OfNone, scan.OfNone},
		{"no_new_privs in all, seccomp in one", []string{"restrict", "thread", "seccomp"}, []uint32{0}, scan.OfAll, scan.OfSome},
	} {
		a := startActor(t, append([]string{"rooted"}, c.ops...)...)
		snap, p := scanSettled(t, s, a.pid)
		uids := snap.UIDs(p)
		same := len(uids) == len(c.uids)
		for i := range uids {
			same = same && uids[i] == c.uids[i]
		}
		if p.NumTasks != 2 || !same || p.NoNewPrivs != c.nnp || p.Seccomp != c.seccomp || p.UIDsDiffer != (len(c.uids) > 1) {
			t.Errorf("%s: %d tasks, users %v, no_new_privs %v, seccomp %v", c.name, p.NumTasks, uids, p.NoNewPrivs, p.Seccomp)
		}
	}
}
