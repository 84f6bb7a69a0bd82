// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"syscall"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// checkScan puts children into domains of every depth from 0 to 5, two in each
// domain, and compares what a scan says of them.
func checkScan(t *T) {
	source := openIterator(t)
	abi, err := landlock.ABI()
	t.Must(err)
	checkOrigins(t, source)
	var all [][]*sleeper
	for depth := range 6 {
		all = append(all, startSleepers(t, depth, 2))
	}
	for range 2 { // The second scan finds what the first one cached.
		snap := scanOnce(t, source)
		t.Fact("scan", fmt.Sprintf("%d processes, %d tasks, %d domains, %d passes, %s",
			len(snap.Processes), len(snap.Tasks), len(snap.Domains), snap.Passes, snap.Duration))
		if snap.Kernel.Release != release() || snap.Kernel.Landlock != scan.Enabled || snap.Kernel.ABI != abi {
			t.Errorf("kernel is %+v", snap.Kernel)
		}
		ids := make(map[domainid.ID]int)
		for depth, sleepers := range all {
			var first domainid.ID
			for i, s := range sleepers {
				id := expectSleeper(t, snap, s, abi)
				if i == 0 {
					first = id
				} else if id != first {
					t.Errorf("depth %d: two processes of one domain have IDs %v and %v", depth, first, id)
				}
			}
			if depth > 0 {
				if other, ok := ids[first]; ok {
					t.Errorf("depths %d and %d have one ID", other, depth)
				}
				ids[first] = depth
			}
		}
		if p := snap.Find(1); p == nil || p.State != scan.Unsandboxed {
			t.Errorf("PID 1 is %+v, want it unsandboxed", p)
		} else if p.Exe != self || p.ExeOrigin != scan.OfHost {
			t.Errorf("PID 1 has executable %q of %v, want %q of the host", p.Exe, p.ExeOrigin, self)
		} else if !p.MayLookAtAll() {
			t.Errorf("PID 1 is said to lack CAP_SYS_PTRACE")
		}
	}
}

// checkOrigins starts children in namespaces of their own: whether the path of their
// executable is believed depends on who could have made it.
func checkOrigins(t *T, source *taskiter.Source) {
	for _, c := range []struct {
		namespaces uintptr
		want       scan.Origin
	}{
		{syscall.CLONE_NEWNS, scan.OfHost},
		{syscall.CLONE_NEWUSER, scan.OfUser},
		{syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, scan.OfUser},
	} {
		s := startSleeperIn(t, c.namespaces)
		p := scanOnce(t, source).Find(int32(s.pid))
		if p == nil || p.Exe != self || p.ExeOrigin != c.want {
			t.Errorf("namespaces %#x: %+v, want an executable of %v", c.namespaces, p, c.want)
		}
	}
}

// expectSleeper compares one process with what is known of it, and returns its
// domain's ID.
func expectSleeper(t *T, snap *scan.Snapshot, s *sleeper, abi int) domainid.ID {
	var none domainid.ID
	depth := len(s.layers)
	p := snap.Find(int32(s.pid))
	if p == nil {
		t.Errorf("depth %d: process %d is not in the snapshot", depth, s.pid)
		return none
	}
	want := scan.Sandboxed
	if depth == 0 {
		want = scan.Unsandboxed
	}
	if p.State != want || int(p.Depth) != depth || int(p.MaxDepth) != depth {
		t.Errorf("depth %d: process is %v (%v) of depth %d to %d, want %v", depth, p.State, p.Reason, p.Depth, p.MaxDepth, want)
	}
	if p.Exe != self || p.ExeOrigin != scan.OfHost || (p.NoNewPrivs == scan.OfAll) != (depth > 0) {
		t.Errorf("depth %d: executable %q of %v, no_new_privs %v", depth, p.Exe, p.ExeOrigin, p.NoNewPrivs)
	}
	for _, task := range snap.TasksOf(p) {
		if task.State != want {
			t.Errorf("depth %d: task %d is %v (%v), want %v", depth, task.TID, task.State, task.Reason, want)
			return none
		}
	}
	if depth == 0 || p.NumTasks == 0 {
		return none
	}
	at := snap.TasksOf(p)[0].Domain
	id := none
	for i := depth - 1; i >= 0; i-- {
		if at == domainid.Outermost {
			t.Errorf("depth %d: the chain of domains ends %d short", depth, i+1)
			return id
		}
		d := &snap.Domains[at]
		if i == depth-1 {
			id = d.ID
		}
		handled := s.layers[i]
		if abi >= 2 {
			handled[access.FS] |= access.Refer
		}
		if int(d.Depth) != i+1 || d.Handled != handled {
			t.Errorf("depth %d: layer %d has depth %d and handles %+v, want %+v", depth, i, d.Depth, d.Handled, handled)
		}
		at = d.Parent
	}
	if at != domainid.Outermost {
		t.Errorf("depth %d: the chain of domains goes on", depth)
	}
	return id
}
