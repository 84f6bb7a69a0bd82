// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// checkIDs makes short-lived domains one after the other, each seen by one
// scan: all have different IDs, though the kernel uses their memory again. Two
// sources agree on an ID if it is the kernel's, and do not if they derive it.
// Argument: domains, how many.
func checkIDs(t *T) {
	source, other := openIterator(t), openAnother(t)
	defer func() {
		if err := other.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	seen := make(map[domainid.ID]int)
	n := t.Number("domains", 200)
	for i := range n {
		tid, end := startRestrictedThread(t, 1)
		id := idOf(t, scanOnce(t, source), tid)
		if j, ok := seen[id]; ok {
			t.Errorf("domains %d and %d have one ID", j, i)
		}
		seen[id] = i
		if i == 0 {
			same := idOf(t, scanOnce(t, other), tid) == id
			if kernel := source.Info().IDs == "kernel"; same != kernel {
				t.Errorf("two sources name a domain alike: %v; IDs are %s", same, source.Info().IDs)
			}
		}
		end()
	}
	t.Fact("ids", fmt.Sprintf("%d domains, %d IDs (%s)", n, len(seen), source.Info().IDs))
}

// startRestrictedThread starts a thread of this process in a domain of the
// given depth. It and the domain are gone soon after end is called.
func startRestrictedThread(t *T, depth int) (tid int, end func()) {
	started, stop, stopped := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := sandbox.Harmless(depth).Enter(); err != nil {
			t.Errorf("restrict a thread: %v", err)
		}
		started <- unix.Gettid()
		<-stop
	}()
	return <-started, func() { close(stop); <-stopped }
}

// idOf returns the domain's ID of a thread of this process.
func idOf(t *T, snap *scan.Snapshot, tid int) domainid.ID {
	p := snap.Find(int32(os.Getpid()))
	if p == nil {
		t.Fatalf("this process is not in the snapshot")
	}
	for _, task := range snap.TasksOf(p) {
		if int(task.TID) == tid && task.Domain != domainid.Outermost {
			return snap.Domains[task.Domain].ID
		}
	}
	t.Fatalf("thread %d is in no domain of the snapshot; the process is %v (%v)", tid, p.State, p.Reason)
	return 0
}
