// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"github.com/landlockd/landlockd/domainid"
)

// maxGone is the number of domains without a live task whose counts are kept. One
// of them can come back: a process that changes while it is read is unknown in one
// scan, and so is its domain. A domain that denied nothing is never kept.
const maxGone = 8192

// Tracker adds up the kernel's counts of denials, one for each domain, over
// domains that come and go, since the first scan. The sum never falls. It is a
// lower bound: what a domain denied between the last scan and its end is not seen.
//
// It is not safe for concurrent use.
type Tracker struct {
	total   uint64
	scans   uint64
	domains map[domainid.ID]seen
}

// seen is what the kernel counted when a domain was last seen.
type seen struct {
	denials uint64
	scan    uint64
}

// Update takes note of a scan. Scans must come in their order, each once.
func (t *Tracker) Update(domains []domainid.Domain) {
	if t.domains == nil {
		t.domains = map[domainid.ID]seen{}
	}
	t.scans++
	for i := range domains {
		d := &domains[i]
		if d.ID == domainid.None || d.Denials == 0 {
			continue
		}
		// What was denied before the first scan was denied before the start: a
		// counter that began with it would count it again after each restart.
		if before := t.domains[d.ID].denials; t.scans > 1 && d.Denials > before {
			t.total += d.Denials - before
		}
		t.domains[d.ID] = seen{max(d.Denials, t.domains[d.ID].denials), t.scans}
	}
	t.forget(len(domains))
}

// forget drops domains that are gone, those that went first before others, as
// soon as there are too many of them.
func (t *Tracker) forget(live int) {
	for age := t.scans; age > 0 && len(t.domains) > live+maxGone; age /= 2 {
		for id, s := range t.domains {
			if t.scans-s.scan >= age {
				delete(t.domains, id)
			}
		}
	}
}

// Total returns the sum.
func (t *Tracker) Total() uint64 { return t.total }
