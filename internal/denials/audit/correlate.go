// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

const (
	// maxPending is the number of denials that wait for the record of their
	// system call, which comes when the call returns. Each CPU has at most a few.
	maxPending = 64
	// maxWait is how long they wait, of those records that there are.
	maxWait = time.Second
	// maxCreators is the number of domains whose makers are remembered.
	maxCreators = 1024
)

// correlator puts together the records of one denial: who made the system call is
// in a record of its own. Not each denial has one; who made the domain stands in
// then, if the domain was announced while this listened.
type correlator struct {
	parser   *parser
	sink     func(*denials.Event)
	pending  [maxPending]pending
	next     int       // where the next one goes
	n        int       // how many wait
	since    time.Time // that of the first that waits
	creators map[domainid.ID]*creator
	order    []domainid.ID // of creators, as a ring
	oldest   int
	who      denials.Event
	made     creator
}

type pending struct {
	serial uint64 // 0 is none
	event  denials.Event
}

func newCorrelator(sink func(*denials.Event)) *correlator {
	return &correlator{parser: newParser(), sink: sink, creators: map[domainid.ID]*creator{}}
}

// take takes one record.
func (c *correlator) take(kind uint16, text []byte) {
	// A NUL may end the text.
	s, rest, ok := parseStamp(bytes.TrimRight(text, "\x00"))
	if !ok {
		return
	}
	if c.n > 0 && s.time.Sub(c.since) > maxWait {
		c.flush()
	}
	switch kind {
	case unix.AUDIT_LANDLOCK_ACCESS:
		p := &c.pending[c.next]
		c.finish(p)
		p.event = denials.Event{Time: s.time, Logged: access.Yes}
		if c.parser.access(rest, &p.event) {
			// Serials begin with 1 at boot, and 0 comes when they begin again.
			p.serial = s.serial + 1
			if c.n++; c.n == 1 {
				c.since = s.time
			}
			c.next = (c.next + 1) % maxPending
		}
	case unix.AUDIT_LANDLOCK_DOMAIN:
		c.made = creator{}
		if c.parser.domain(rest, &c.made) {
			c.remember()
		}
	case unix.AUDIT_SYSCALL:
		c.syscall(s.serial+1, rest)
	}
}

// syscall finishes the denials of a system call. The record of any other is not
// even parsed.
func (c *correlator) syscall(serial uint64, rest []byte) {
	parsed := false
	for i := range c.pending {
		p := &c.pending[(c.next+i)%maxPending] // the oldest first
		if p.serial != serial {
			continue
		}
		if !parsed {
			c.who = denials.Event{}
			if !c.parser.syscall(rest, &c.who) {
				return
			}
			parsed = true
		}
		// This is the process that asks to be traced; its tracer was denied.
		if !p.event.Blockers.Has(denials.Ptrace) || p.event.Object.PID != c.who.PID {
			p.event.PID, p.event.Comm, p.event.Exe = c.who.PID, c.who.Comm, c.who.Exe
		}
		c.finish(p)
	}
}

// finish hands a denial on.
func (c *correlator) finish(p *pending) {
	if p.serial == 0 {
		return
	}
	p.serial = 0
	c.n--
	if e := &p.event; e.PID == 0 {
		if made := c.creators[e.Domain]; made != nil {
			e.Comm, e.Exe = made.comm, made.exe
		}
	}
	c.sink(&p.event)
}

// flush finishes all denials.
func (c *correlator) flush() {
	for i := range c.pending {
		c.finish(&c.pending[(c.next+i)%maxPending])
	}
}

// remember keeps who made a domain, in the place of the one that has been kept
// longest if there are too many.
func (c *correlator) remember() {
	id := c.made.domain
	if known := c.creators[id]; known != nil {
		*known = c.made
		return
	}
	made := c.made
	if len(c.order) < maxCreators {
		c.order = append(c.order, id)
	} else {
		delete(c.creators, c.order[c.oldest])
		c.order[c.oldest] = id
		c.oldest = (c.oldest + 1) % maxCreators
	}
	c.creators[id] = &made
}
