// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// TestJoins has scans at seconds 10 and 20 of a process that was created at 5 and has tasks 7
// and 8.
func TestJoins(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for name, c := range map[string]struct {
		// At the second scan, where there is one, the tasks are in other domains.
		first, second []int
		domain, tid   int
		start         bool
		time          int
		blocker       string
		tasks, wrong  int
	}{
		"in the domain":                {[]int{0, 12}, nil, 1, 8, true, 9, "fs.execute", 1, 0},
		"by any of its tasks":          {[]int{0, 12}, nil, 12, 0, true, 9, "fs.execute", 1, 0},
		"of another process":           {[]int{0, 12}, nil, 12, 8, false, 4, "fs.execute", 1, 0},
		"by another task's":            {[]int{0, 12}, nil, 12, 7, true, 9, "fs.execute", 0, 1},
		"by another task's, by PID":    {[]int{0, 12}, []int{0, 12}, 12, 7, false, 9, "fs.execute", 0, 1},
		"entered since":                {[]int{0, 12}, nil, 3, 8, true, 11, "fs.execute", 0, 0},
		"seen later":                   {[]int{0, 0}, []int{0, 12}, 12, 8, true, 11, "fs.execute", 1, 0},
		"seen later in another":        {[]int{0, 0}, []int{0, 12}, 3, 8, true, 11, "fs.execute", 0, 1},
		"gone, and the PID used again": {[]int{0, 12}, nil, 3, 8, false, 11, "fs.execute", 0, 0},
		"of who opened the file":       {[]int{0, 12}, nil, 3, 8, true, 9, "fs.truncate", 0, 0},
		"of a thread that is gone":     {[]int{0, 12}, nil, 3, 0, true, 9, "fs.execute", 0, 0},
		"beside what all were in":      {[]int{12, 12}, []int{12, 134}, 134, 7, true, 11, "fs.execute", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStays()
			for i, tasks := range [][]int{c.first, c.second} {
				if tasks == nil {
					continue
				}
				snap := host(6, tasks...)
				snap.Time, snap.Uptime = at(10*(i+1)), time.Duration(10*(i+1))*time.Second
				snap.Processes[0].Start = uint64(5 * time.Second)
				s.look(snap)
			}
			d := denials.Denial{
				Time: at(c.time), Domain: domainid.ID(c.domain), PID: 7, TID: int32(c.tid), Blockers: []string{c.blocker},
			}
			if c.start {
				d.Start = uint64(5 * time.Second)
			}
			var j joins
			j.add([]denials.Denial{d, d})
			if r := j.by(s); r.tasks != c.tasks || len(r.wrong) != c.wrong {
				t.Errorf("%d of its tasks in the domain, wrong: %q; want %d and %d", r.tasks, r.wrong, c.tasks, c.wrong)
			}
		})
	}
}

func TestSameDomains(t *testing.T) {
	sources := [2]*stays{newStays(), newStays()}
	for _, s := range sources {
		s.look(host(6, 123, 4))
	}
	if same, wrong := sameDomains(sources[0], sources[1]); same != 4 || wrong != nil {
		t.Errorf("%d domains are the same, wrong: %q", same, wrong)
	}
	sources[1].domains[12] = layers{4, 12}
	if same, wrong := sameDomains(sources[0], sources[1]); same != 3 || len(wrong) != 1 {
		t.Errorf("%d domains are the same, wrong: %q", same, wrong)
	}
	s := sources[0]
	s.domains[12] = layers{4, 12}
	if s.look(host(6, 123, 4)); len(s.wrong) != 1 {
		t.Errorf("wrong: %q; want a domain that is nested in another one than before", s.wrong)
	}
}
