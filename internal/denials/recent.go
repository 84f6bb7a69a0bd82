// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"slices"
	"sync"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// maxRecent is the number of denials that are remembered: some 200 kB.
const maxRecent = 256

// Denial is one denial, or several of one kind that followed each other. Its
// text is of others' choice and not cleaned.
type Denial struct {
	// Time is that of the last, and Count how many there were.
	Time  time.Time
	Count uint64
	// Domain is the one that denied.
	Domain   domainid.ID
	Blockers []string
	// PID and TID are who was denied, and Start is when the process was created,
	// in nanoseconds since boot; each is 0 where it is not known.
	PID, TID  int32
	Start     uint64
	Comm, Exe string
	// Object is what the access was to: Path is a file, a Unix socket or the
	// name of a process, as far as is known.
	Object    ObjectKind
	Path      string
	Port      uint16
	TargetPID int32
	// SameExec and Logged are those of [Event].
	SameExec, Logged access.Answer
}

// Recent remembers the last denials. The zero value is empty. It is safe for concurrent
// use, and has a fixed size.
type Recent struct {
	mu   sync.Mutex
	ring [maxRecent]remembered
	next int // where the next one goes
	n    int // how many there are
	// added is the number of denials that there were.
	added uint64
}

type remembered struct {
	event Event
	count uint64
	last  uint64 // which of all its last one was, from 1
}

// Add remembers a denial. One that is like the last but for its time is counted
// with it, so that what tries again and again does not push all else out.
func (r *Recent) Add(e *Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.added++
	if r.n > 0 {
		last := &r.ring[(r.next+len(r.ring)-1)%len(r.ring)]
		if alike(&last.event, e) {
			last.event.Time, last.count, last.last = e.Time, last.count+1, r.added
			return
		}
	}
	r.ring[r.next] = remembered{*e, 1, r.added}
	r.next = (r.next + 1) % len(r.ring)
	r.n = min(r.n+1, len(r.ring))
}

func alike(a, b *Event) bool {
	return a.Domain == b.Domain && a.Blockers == b.Blockers && a.PID == b.PID && a.TID == b.TID && a.Start == b.Start &&
		a.SameExec == b.SameExec && a.Logged == b.Logged && a.Object.Kind == b.Object.Kind && a.Object.Port == b.Object.Port && a.Object.PID == b.Object.PID &&
		string(a.Object.Text.Bytes()) == string(b.Object.Text.Bytes())
}

// Snapshot returns the denials that are remembered, the newest first. The result
// is the caller's.
func (r *Recent) Snapshot() []Denial {
	all, _, _ := r.After(0)
	slices.Reverse(all)
	return all
}

// After returns the denials that are remembered and came after so many, the oldest first, how
// many came in all, and how many of those asked for are forgotten. The result is the caller's.
func (r *Recent) After(n uint64) (all []Denial, now, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, lost = make([]Denial, 0, r.n), r.added-n
	for i := range r.n {
		m := &r.ring[(r.next+len(r.ring)-r.n+i)%len(r.ring)]
		if m.last <= n {
			continue
		}
		e, count := &m.event, min(m.count, m.last-n)
		lost -= count
		all = append(all, Denial{
			Time: e.Time, Count: count, Domain: e.Domain, Blockers: e.Blockers.Names(),
			PID: e.PID, TID: e.TID, Start: e.Start, Comm: e.Comm.String(), Exe: e.Exe.String(),
			Object: e.Object.Kind, Path: e.Object.Text.String(), Port: e.Object.Port, TargetPID: e.Object.PID,
			SameExec: e.SameExec, Logged: e.Logged,
		})
	}
	return all, r.added, lost
}
