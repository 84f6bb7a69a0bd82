// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/scan"
)

// Judge decides which sockets a process that was explained could reach.
type Judge struct {
	s   *scan.Snapshot
	p   *scan.Process
	out explain.Sockets
	// domains are those that the process's tasks are in, and mine what being in one
	// of its places comes to.
	domains []int32
	mine    []place
}

// place is a place that a task of the process is in.
type place struct {
	domain int32
	layers []domainid.Layer
	// whole is false if there may be layers that are not known.
	whole bool
}

// NewJudge returns one for the process that e explains.
func NewJudge(e *explain.Explanation) *Judge {
	l := &Judge{s: e.Snapshot, p: e.Process}
	m := l.s.Meaning()
	for i := range e.Sandboxes {
		b := &e.Sandboxes[i]
		l.domains = append(l.domains, b.Domains()...)
		for _, in := range b.In {
			whole := !m.Task(in.Domain, in.View, 0, false).Doubt.Has(domainid.LayersUnknown)
			l.mine = append(l.mine, place{in.Domain, m.Layers(in.Domain, in.View), whole})
		}
	}
	return l
}

// Result returns what all sockets that were added come to. gaps are those of See.
func (l *Judge) Result(gaps []string) *explain.Sockets {
	l.out.Gaps = gaps
	order.By(l.out.Reachable, func(a, b explain.Socket) int {
		return strings.Compare(a.Name, b.Name)
	})
	return &l.out
}

// Add decides about one socket.
func (l *Judge) Add(k *Seen) {
	l.out.Listening++
	var outside []*scan.Process
	for _, pid := range k.Holders {
		if h := l.s.Find(pid); h != nil && h.PID != l.p.PID && !explain.Inside(l.s, h, l.domains) {
			outside = append(outside, h)
		}
	}
	if len(outside) == 0 && len(k.Holders) > 0 {
		l.out.Inside++
		return
	}
	r := explain.Socket{Name: string(k.Name), Abstract: k.Spot == nil, Datagram: k.Datagram}
	if r.Abstract {
		r.Name = strings.TrimPrefix(r.Name, "\x00")
	}
	for _, h := range outside {
		r.Holders = append(r.Holders, h.PID)
	}
	right, at := abstractUnix, k.Spot
	if at != nil {
		right = resolveUnix
		switch {
		case at.Missing:
			l.out.Kept.Path++
			return
		case at.Denied:
			l.out.Kept.Permission++
			return
		}
	}
	lets, doubt := l.lets(outside, right, at)
	if lets == access.No {
		l.out.Kept.Landlock++
		return
	}
	r.Doubt = doubt
	if at != nil && at.Doubt != "" {
		r.Doubt = at.Doubt
	}
	l.out.Reachable = append(l.out.Reachable, r)
}

var (
	abstractUnix, _ = access.Lookup("scope.abstract_unix_socket")
	resolveUnix, _  = access.Lookup("fs.resolve_unix")
)

// lets reports whether some task of the process may connect to a socket that was
// made by a task of one of its holders, as far as a right goes, and why that is not
// known. That it was made by one that has it open now is an assumption: the kernel
// does not show who made it. at is what the socket's path leads to, nil for one
// without a path.
func (l *Judge) lets(holders []*scan.Process, r access.Right, at *Spot) (access.Answer, string) {
	others := map[int32]bool{}
	for _, h := range holders {
		for _, t := range l.s.TasksOf(h) {
			others[t.Domain] = true
		}
	}
	if len(others) == 0 {
		others[domainid.Outermost] = true
	}
	some, why := access.No, ""
	for i := range l.mine {
		for theirs := range others {
			switch lets, doubt := l.passes(&l.mine[i], theirs, r, at); lets {
			case access.Yes:
				return access.Yes, ""
			case access.Unknown:
				some, why = access.Unknown, doubt
			}
		}
	}
	return some, why
}

// passes reports whether a task in a place may connect to a socket that was made by
// a task in another domain: each of its layers that the other lacks does not
// restrict the right, or has a rule for this socket.
func (l *Judge) passes(p *place, theirs int32, r access.Right, at *Spot) (access.Answer, string) {
	all, why := access.Yes, ""
	if !p.whole && l.s.Kernel.Rights.Of(r) != access.No {
		all, why = access.Unknown, "not all layers of the process are known"
	}
	above := explain.Above(l.s, p.domain, theirs)
	for i := range p.layers {
		layer := &p.layers[i]
		restricts := layer.Restricts.Of(r)
		if restricts == access.No || !slices.Contains(above, layer.Domain) {
			continue
		}
		lets, doubt := access.No, ""
		if at != nil {
			lets, doubt = at.granted(l.s.Domains[layer.Domain].Ruleset)
		}
		switch {
		case lets == access.Yes:
		case lets == access.Unknown:
			all, why = access.Unknown, doubt
		case restricts == access.Unknown:
			all, why = access.Unknown, "whether a layer restricts "+r.Name+" for the process is "+
				"not known"
		default:
			return access.No, ""
		}
	}
	return all, why
}
