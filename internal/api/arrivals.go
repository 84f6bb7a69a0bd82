// SPDX-License-Identifier: Apache-2.0

package api

import (
	"maps"
	"sync"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Arrival is a domain that a scan found and the one before it did not.
type Arrival struct {
	// Time is when that scan began.
	Time time.Time `json:"time"`
	// Domain is the domain, and Parent the one that it is nested in, null if it is in none or
	// that is not known.
	Domain domainid.ID `json:"domain"`
	Parent domainid.ID `json:"parent"`
	Depth  uint16      `json:"depth"`
	// PID, Comm and Workload are of its process with the lowest PID; null if it has none itself.
	PID      *int32          `json:"pid"`
	Comm     *untrusted.Text `json:"comm"`
	Workload *untrusted.Text `json:"workload"`
}

const maxArrivals = 256

// Arrivals remembers the last domains that came. It is safe for concurrent use.
type Arrivals struct {
	mu    sync.Mutex
	scans uint64
	last  scan.Identity
	// known has of each domain the last scan that found it.
	known map[domainid.ID]uint64
	ring  [maxArrivals]Arrival
	n     uint64 // how many came
}

// Note takes note of a scan. Where no domain comes it allocates nothing.
func (a *Arrivals) Note(s *scan.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last.Is(s) {
		return
	}
	a.last = s.Identity()
	if a.known == nil {
		a.known = map[domainid.ID]uint64{}
	}
	a.scans++
	var came map[int32]*Arrival
	for i := range s.Domains {
		id := s.Domains[i].ID
		if id == domainid.None {
			continue
		}
		_, known := a.known[id]
		a.known[id] = a.scans
		if known || a.scans == 1 { // those of the first scan may have been there for long
			continue
		}
		if came == nil {
			came = map[int32]*Arrival{}
		}
		came[int32(i)] = a.add(s, &s.Domains[i])
	}
	if came != nil {
		findFirst(s, came)
	}
	if before := len(a.known); before > len(s.Domains) {
		maps.DeleteFunc(a.known, func(_ domainid.ID, scan uint64) bool { return scan != a.scans })
		if before > 1024 && before > 2*len(a.known) {
			a.known = maps.Collect(maps.All(a.known)) // what a burst took is given back
		}
	}
}

func (a *Arrivals) add(s *scan.Snapshot, d *domainid.Domain) *Arrival {
	at := &a.ring[a.n%maxArrivals]
	*at = Arrival{Time: s.Time.UTC(), Domain: d.ID, Depth: d.Depth}
	if d.Parent >= 0 {
		at.Parent = s.Domains[d.Parent].ID
	}
	a.n++
	return at
}

// findFirst sets the process of each domain that came, by its place.
func findFirst(s *scan.Snapshot, came map[int32]*Arrival) {
	for i := range s.Processes {
		p := &s.Processes[i]
		for _, t := range s.TasksOf(p) {
			at := came[s.DomainOf(t)]
			if at == nil || at.PID != nil {
				continue
			}
			at.PID, at.Comm = new(p.PID), untrusted.OrNull(p.Comm.String())
			if w := s.WorkloadOf(p); w != nil {
				at.Workload = untrusted.OrNull(w.Name)
			}
		}
	}
}

// After returns those that came after so many, the oldest first, how many came in all, and how
// many of those asked for are forgotten.
func (a *Arrivals) After(n uint64) (all []Arrival, now, lost uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from := max(n, a.n-min(a.n, maxArrivals))
	for i := from; i < a.n; i++ {
		all = append(all, a.ring[i%maxArrivals])
	}
	return all, a.n, from - n
}
