// SPDX-License-Identifier: Apache-2.0

// Package sockets finds the listening Unix sockets outside of a process's Landlock
// domains that it could connect to: the way out of a sandbox that asks a process
// outside to act for it.
//
// It works with the caller's own rights, and as root decides as the kernel would:
// whether a path leads to a socket, and whether permissions let it be connected
// to, is tried by a thread in the process's mount namespace and root directory,
// with its user, groups and capabilities. Nothing is connected to.
package sockets

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/scan"
)

// Look looks at the sockets of a host for a process that was explained. Sockets
// with a path are reached whatever network namespace they are of, abstract ones
// only in the process's own.
func Look(procfs string, t *target.Process, e *explain.Explanation) (*explain.Sockets, error) {
	l := &look{s: e.Snapshot, p: e.Process, t: t, out: &explain.Sockets{}}
	l.places(e)
	own, err := t.Link("ns/net")
	if err != nil {
		return nil, err
	}
	spaces := map[string]*os.File{}
	defer func() {
		for _, f := range spaces {
			f.Close()
		}
	}()
	if spaces[own], err = t.File("ns/net", unix.O_RDONLY); err != nil {
		return nil, fmt.Errorf("open the network namespace of process %d: %w", t.PID, err)
	}
	l.survey(procfs, spaces)
	if l.able, err = impersonate(t); err != nil {
		return nil, err
	}
	defer l.able.end()
	if l.able.gap != "" {
		l.out.Gaps = append(l.out.Gaps, l.able.gap)
	}
	for space, f := range spaces {
		found, err := listenersOf(f)
		if err != nil {
			if space == own {
				return nil, err
			}
			l.unseen++
			continue
		}
		for _, k := range found {
			if k.name != "" && (k.name[0] != 0 || space == own) {
				l.judge(&k)
			}
		}
	}
	if l.unseen > 0 {
		l.out.Gaps = append(l.out.Gaps, fmt.Sprintf("sockets of other network namespaces, "+
			"of which %d processes could not be looked at", l.unseen))
	}
	byName := func(a, b explain.Socket) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(l.out.Reachable, byName)
	return l.out, nil
}

// look is one run of Look.
type look struct {
	s    *scan.Snapshot
	p    *scan.Process
	t    *target.Process
	able *double
	out  *explain.Sockets
	// domains are those that the process's tasks are in, and mine what being in one
	// of its places comes to.
	domains []int32
	mine    []place
	holders map[uint32][]int32 // PIDs by the socket's inode number
	unseen  int
}

// place is a place that a task of the process is in.
type place struct {
	domain int32
	layers []domainid.Layer
	// whole is false if there may be layers that are not known.
	whole bool
}

func (l *look) places(e *explain.Explanation) {
	m := l.s.Meaning()
	for i := range e.Sandboxes {
		b := &e.Sandboxes[i]
		l.domains = append(l.domains, b.Domains()...)
		for _, in := range b.In {
			whole := !m.Task(in.Domain, in.View, 0, false).Doubt.Has(domainid.LayersUnknown)
			l.mine = append(l.mine, place{in.Domain, m.Layers(in.Domain, in.View), whole})
		}
	}
}

// maxSpaces is how many network namespaces are looked at.
const maxSpaces = 512

// survey notes who has sockets open, and adds the network namespaces of all
// processes.
func (l *look) survey(procfs string, spaces map[string]*os.File) {
	l.holders = map[uint32][]int32{}
	for i := range l.s.Processes {
		p := &l.s.Processes[i]
		h, err := target.Open(procfs, p)
		if err != nil {
			continue
		}
		if space, err := h.Link("ns/net"); err == nil && spaces[space] == nil {
			var f *os.File
			if len(spaces) < maxSpaces {
				f, err = h.File("ns/net", unix.O_RDONLY)
			}
			if f == nil || err != nil {
				l.unseen++
			} else {
				spaces[space] = f
			}
		}
		const maxFDs = 1 << 20
		for _, fd := range h.Names("fd", maxFDs) {
			to, _ := h.Link("fd/" + fd)
			var at uint32
			_, err := fmt.Sscanf(to, "socket:[%d]", &at)
			if err == nil && !slices.Contains(l.holders[at], p.PID) {
				l.holders[at] = append(l.holders[at], p.PID)
			}
		}
		h.Close()
	}
}

// judge decides about one socket.
func (l *look) judge(k *listener) {
	l.out.Listening++
	var outside []*scan.Process
	for _, pid := range l.holders[k.inode] {
		if h := l.s.Find(pid); h != nil && h.PID != l.p.PID && !explain.Inside(l.s, h, l.domains) {
			outside = append(outside, h)
		}
	}
	if len(outside) == 0 && len(l.holders[k.inode]) > 0 {
		l.out.Inside++
		return
	}
	r := explain.Socket{Name: strings.TrimRight(k.name, "\x00")}
	if k.name[0] == 0 {
		r.Name, r.Abstract = k.name[1:], true
	}
	for _, h := range outside {
		r.Holders = append(r.Holders, h.PID)
	}
	right, at := abstractUnix, (*spot)(nil)
	if !r.Abstract {
		right, at = resolveUnix, l.able.find(r.Name, k)
		switch {
		case at.missing:
			l.out.Kept.Path++
			return
		case at.denied:
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
	if at != nil && at.doubt != "" {
		r.Doubt = at.doubt
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
func (l *look) lets(holders []*scan.Process, r access.Right, at *spot) (access.Answer, string) {
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
func (l *look) passes(p *place, theirs int32, r access.Right, at *spot) (access.Answer, string) {
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

// listenersOf returns the listening sockets of a network namespace.
func listenersOf(ns *os.File) (found []listener, err error) {
	runApart(func() {
		if !sameNamespace(int(ns.Fd()), "net") {
			if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				err = fmt.Errorf("enter the network namespace: %w", err)
				return
			}
		}
		found, err = listening()
	})
	return found, err
}
