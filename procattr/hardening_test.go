// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	osthread "github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/testenv"
)

// What hardens a process, and who it is, is so of all of its threads.
func TestScanThreadsDiffer(t *testing.T) {
	me := os.Getuid()
	hard, soft, other := statusText(me, 1, 2), statusText(me, 0, 0), statusText(4711, 1, 1)
	for name, c := range map[string]struct {
		status, second string
		nnp, seccomp   scan.Extent
		uids           []uint32
	}{
		"alike":     {hard, hard, scan.OfAll, scan.OfAll, []uint32{uint32(me)}},
		"none":      {soft, soft, scan.OfNone, scan.OfNone, []uint32{uint32(me)}},
		"some":      {hard, soft, scan.OfSome, scan.OfSome, []uint32{uint32(me)}},
		"second":    {soft, hard, scan.OfSome, scan.OfSome, []uint32{uint32(me)}},
		"two users": {hard, other, scan.OfAll, scan.OfAll, []uint32{uint32(me), 4711}},
		// What is not shown makes no difference.
		"untold": {hard, "Name:\tx\n", scan.OfAll, scan.OfAll, []uint32{uint32(me)}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			tr.put(fakeTask{
				pid: 10, attr: "none\n", status: c.status,
				threads: map[int]string{11: "none\n"}, threadStatus: map[int]string{11: c.second},
			})
			s := tr.open(hexID, false)
			for range 4 {
				snap := mustScan(t, s)
				p := mustFind(t, snap, 10)
				if p.NoNewPrivs != c.nnp || p.Seccomp != c.seccomp {
					t.Errorf("no_new_privs %v, seccomp %v; want %v, %v", p.NoNewPrivs, p.Seccomp, c.nnp, c.seccomp)
				}
				if uids := snap.UIDs(p); !slices.Equal(uids, c.uids) || p.UIDsDiffer != (len(c.uids) > 1) {
					t.Errorf("users %d (differ: %v), want %d", uids, p.UIDsDiffer, c.uids)
				}
			}
		})
	}
}

// That threads differ is concluded from one scan alone: while all change, one after the
// other between scans, no scan puts together what was never so at once.
func TestScanThreadsChangeTogether(t *testing.T) {
	tr := newTree(t)
	f := fakeTask{pid: 10, attr: "none\n", threads: map[int]string{11: "none\n", 12: "none\n"}}
	tr.put(f)
	s := tr.open(hexID, false)
	for range 2 * maxInterval {
		mustScan(t, s)
	}
	f.status = statusText(os.Getuid(), 0, 0)
	tr.put(f)
	for range 3 {
		if p := mustFind(t, mustScan(t, s), 10); p.NoNewPrivs == scan.OfSome || p.Seccomp == scan.OfSome {
			t.Fatalf("all threads changed: %+v", p)
		}
	}
	// A thread that is new shows that the others are no longer what they were.
	f.threads[13] = "none\n"
	tr.put(f)
	if p := mustFind(t, mustScan(t, s), 10); p.NoNewPrivs != scan.OfNone || p.NumTasks != 4 {
		t.Errorf("with a new thread: %+v", p)
	}
}

// A process that changes user shows it by its directory; its threads are read at once.
func TestScanChangesUser(t *testing.T) {
	testenv.NeedRoot(t)
	tr := newTree(t)
	f := fakeTask{pid: 10, attr: "none\n", threads: map[int]string{11: "none\n"}}
	tr.put(f)
	s := tr.open(hexID, false)
	for range maxInterval {
		mustScan(t, s)
	}
	f.status = statusText(65534, 1, 2)
	tr.put(f)
	if err := os.Chown(filepath.Join(tr.dir, "10"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if p := mustFind(t, mustScan(t, s), 10); p.UID != 65534 || p.UIDsDiffer {
		t.Errorf("%+v", p)
	}
}

// Workers stand beside the tasks, with the domain that their file shows.
func TestScanWorkers(t *testing.T) {
	tr := newTree(t)
	workers := map[int]uint32{12: pfIOWorker, 13: pfUserWorker, 14: pfIOWorker, 15: pfIOWorker}
	tr.put(fakeTask{
		pid: 9, attr: "none\n", threads: map[int]string{8: "none\n"},
		threadFlags: map[int]uint32{8: pfUserWorker},
	})
	tr.put(fakeTask{
		pid: 10, start: 3, attr: idA, threadFlags: workers,
		threads: map[int]string{11: idA, 12: idA, 13: "none\n", 14: "zzz", 15: idB},
		// They have their owner's credentials, and are none of the tasks.
		threadStatus: map[int]string{12: statusText(4711, 0, 0)},
	})
	tr.put(fakeTask{pid: 20, attr: idC})
	s := tr.open(hexID, false)
	for range 3 {
		snap := mustScan(t, s)
		p := mustFind(t, snap, 10)
		if p.State != scan.Sandboxed || p.NumTasks != 2 || p.UIDsDiffer || p.NoNewPrivs != scan.OfAll {
			t.Errorf("%+v", p)
		}
		found := snap.WorkersOf(p)
		if len(found) != 4 {
			t.Fatalf("workers %+v", found)
		}
		for i, want := range []struct {
			id      string
			state   scan.State
			outside access.Answer
		}{
			{idA, scan.Sandboxed, access.Unknown}, {"", scan.Unsandboxed, access.Yes},
			{"", scan.Unknown, access.Unknown}, {idB, scan.Sandboxed, access.Unknown},
		} {
			w, id := &found[i], ""
			if w.Real.Domain != domainid.Outermost {
				id = snap.Domains[w.Real.Domain].ID.String() + "\n"
			}
			if w.TID != int32(12+i) || w.Start != 4*uint64(scan.StatTick) || w.Real.State != want.state || id != want.id ||
				w.Acting != (scan.Place{Domain: domainid.Outermost}) {
				t.Errorf("worker %+v in domain %q, want %+v", w, id, want)
			}
			if got := snap.Outside(p, w); got != want.outside {
				t.Errorf("worker %d outside: %v, want %v", w.TID, got, want.outside)
			}
		}
		if n := len(snap.WorkersOf(mustFind(t, snap, 9))); n != 1 {
			t.Errorf("%d workers of the first process", n)
		}
		if n := len(snap.WorkersOf(mustFind(t, snap, 20))); n != 0 {
			t.Errorf("%d workers of the last process", n)
		}
		if len(snap.Domains) != 3 || len(snap.Workers) != 5 {
			t.Errorf("domains %+v, workers %+v", snap.Domains, snap.Workers)
		}
	}
}

// A thread of this process with another user and no_new_privs alone.
func TestScanRealThreadsDiffer(t *testing.T) {
	testenv.NeedRoot(t)
	s, err := withoutLandlock("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hold, ready := make(chan struct{}), make(chan int32)
	var failure error
	wait := osthread.Run(func() {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			failure = err
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			failure = errno
		}
		ready <- int32(unix.Gettid())
		<-hold
	})
	tid := <-ready
	snap := mustScan(t, s)
	p := mustFind(t, snap, int32(os.Getpid()))
	if !slices.Equal(snap.UIDs(p), []uint32{0, 65534}) || p.NoNewPrivs != scan.OfSome || failure != nil {
		t.Errorf("%v: users %d, %+v", failure, snap.UIDs(p), p)
	}
	for _, task := range snap.TasksOf(p) {
		if want := task.TID == tid; (task.UID == 65534) != want || (task.Hardening == scan.NoNewPrivs) != want {
			t.Errorf("%+v; the thread that differs is %d", task, tid)
		}
	}
	close(hold)
	wait()
}
