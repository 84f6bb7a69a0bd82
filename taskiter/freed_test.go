// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// TestDerivedIDsWhereThreadsAreFreed: from ABI 8 on a name goes on only of what no thread of a
// process can have been taken out of: the address could be another domain's by now.
func TestDerivedIDsWhereThreadsAreFreed(t *testing.T) {
	w := &played{rng: rand.New(rand.NewPCG(1, 1)), domains: map[uint64]*domainRecord{}, held: true}
	process := func(pid int32, domains ...uint64) {
		p := &playedProcess{pid: pid, exe: "/bin/x"}
		for i, key := range domains {
			r := objectTaskRecord{
				Tid: pid + int32(i), Pid: pid, Ppid: 1, NrThreads: int32(len(domains)), Start: w.tick(),
				ExecId: 1, UserNs: scan.InitUserNS, Domain: key,
			}
			if d := w.domains[key]; d != nil {
				r.Depth = d.Depth
			}
			if i == 0 {
				r.Bits = taskLeader
			}
			p.tasks = append(p.tasks, r)
		}
		w.processes = append(w.processes, p)
	}
	for _, d := range []domainRecord{
		{Key: 100, Depth: 1}, {Key: 101, Parent: 100, Depth: 2}, {Key: 102, Parent: 100, Depth: 2},
		{Key: 200, Depth: 1}, {Key: 300, Depth: 1},
	} {
		w.domains[d.Key] = &d
	}
	process(10, 101, 102) // each in its own, in one that both are in
	process(20, 0, 200)   // one is in none
	process(30, 300)
	for _, c := range []struct {
		abi  int
		goOn []bool // of the domains of 10 and 11, of the one that these are in, of 21 and 30
	}{
		{7, []bool{true, true, true, true, true}},
		{8, []bool{false, false, true, false, true}},
	} {
		p := w.play()
		p.source.state.Kernel.ABI, p.source.state.Info.IDs = c.abi, "derived"
		p.source.deriver = newDeriver()
		ids := func() (all []domainid.ID) {
			snap := p.scan(t)
			of := func(tid int32) *domainid.Domain {
				i := slices.IndexFunc(snap.Tasks, func(t scan.Task) bool { return t.TID == tid })
				return &snap.Domains[snap.Tasks[i].Domain]
			}
			return []domainid.ID{of(10).ID, of(11).ID, snap.Domains[of(10).Parent].ID, of(21).ID, of(30).ID}
		}
		before := ids()
		for range 3 {
			after := ids()
			for i, want := range c.goOn {
				if got := after[i] == before[i]; got != want {
					t.Errorf("ABI %d: domain %d has the name that it had: %v", c.abi, i, got)
				}
			}
			before = after
		}
	}
}
