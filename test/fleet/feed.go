// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"
	"sync"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// denialsPerScan is how much is denied between two scans, to a process of each
// workload that a rule is about.
const denialsPerScan = 3

// feed is a denials.Feed that yields denials as a scan comes by.
type feed struct {
	events chan denials.Event
	once   sync.Once
	done   chan struct{}
}

func newFeed() *feed { return &feed{events: make(chan denials.Event), done: make(chan struct{})} }

// deny yields denials of processes of a snapshot.
func (f *feed) deny(s *scan.Snapshot) {
	last := scan.NoWorkload
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.State != scan.Sandboxed || p.Workload == last || !hasRule(s.Workloads[p.Workload].Name) {
			continue
		}
		last = p.Workload
		e := denials.Event{Time: s.Time, Domain: s.Domains[s.Tasks[p.FirstTask].Domain].ID, PID: p.PID, TID: p.PID, Start: p.Start}
		e.Blockers.Add(denials.RightBlocker(access.FS, 1)) // fs.write_file
		for range denialsPerScan {
			select {
			case f.events <- e:
			case <-f.done:
				return
			}
		}
	}
}

func hasRule(workload string) bool {
	return slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Workload == workload })
}

func (f *feed) Run(to func(*denials.Event)) {
	for {
		select {
		case e := <-f.events:
			to(&e)
		case <-f.done:
			return
		}
	}
}

func (f *feed) Active() bool { return true }
func (f *feed) Way() string  { return scan.DenialsAudit }
func (f *feed) Lost() uint64 { return 0 }
func (f *feed) ByBlocker() (counts [denials.NumBlockers]uint64, ok bool) {
	return counts, false
}

func (f *feed) Close() error {
	f.once.Do(func() { close(f.done) })
	return nil
}
