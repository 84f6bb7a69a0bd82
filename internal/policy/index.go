// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// index finds the rules that may be about a process without looking at all.
type index struct {
	anchors [4]anchor
	// others are the rules that no anchor has.
	others []int32
}

// anchor has the rules that are found by one key: whose patterns for it all begin
// with some text. They are found by the first letters of a process's own text.
type anchor struct {
	patterns func(*Match) []Pattern
	// text returns what patterns are for, and whether it is known.
	text func(*facts) (text string, known bool)
	// byPrefix has the rules by what one of their patterns begins with; lengths are
	// those of these beginnings, and all has all of the rules.
	byPrefix map[string][]int32
	lengths  []int
	all      []int32
}

func newIndex(rules []Rule) index {
	x := index{anchors: [...]anchor{
		{patterns: func(m *Match) []Pattern { return m.Unit },
			text: func(f *facts) (string, bool) { return f.unit, f.place != nowhere }},
		{patterns: func(m *Match) []Pattern { return m.Exe },
			text: func(f *facts) (string, bool) { return f.exe.beginning(), f.exe.beginning() != "" }},
		{patterns: func(m *Match) []Pattern { return m.Namespace },
			text: func(f *facts) (string, bool) { return f.namespace, f.isKnown(f.namespace, inPod) }},
		{patterns: func(m *Match) []Pattern { return m.Container },
			text: func(f *facts) (string, bool) { return f.container, f.isKnown(f.container, inContainer) }},
	}}
	for i := range x.anchors {
		x.anchors[i].byPrefix = map[string][]int32{}
	}
	for i := range rules {
		x.add(&rules[i], int32(i))
	}
	return x
}

// isKnown reports whether a name that only processes in some place have is known:
// it is empty elsewhere.
func (f *facts) isKnown(name string, least place) bool {
	return name != "" || f.unnamed || f.place != nowhere && f.place < least
}

func (x *index) add(r *Rule, n int32) {
	for i := range x.anchors {
		// What command lines decide is asked in its own time.
		if a := &x.anchors[i]; !r.usesCmdline() && a.add(&r.Match, n) {
			return
		}
	}
	x.others = append(x.others, n)
}

func (a *anchor) add(m *Match, n int32) bool {
	patterns := a.patterns(m)
	// Of a path that is cut no more than its beginning is looked for.
	unfit := func(p Pattern) bool { return p.prefix == "" || len(p.prefix) > scan.CutPath }
	if len(patterns) == 0 || slices.ContainsFunc(patterns, unfit) {
		return false
	}
	for i := range patterns {
		prefix := patterns[i].prefix
		a.byPrefix[prefix] = append(a.byPrefix[prefix], n)
		if at, found := slices.BinarySearch(a.lengths, len(prefix)); !found {
			a.lengths = slices.Insert(a.lengths, at, len(prefix))
		}
	}
	a.all = append(a.all, n)
	return true
}

// candidates appends the rules that may be about processes with some facts, each
// once: those that are found by what is known of them, and all that would be found by
// what is not.
func (x *index) candidates(f *facts, to []int32) []int32 {
	from := len(to)
	for i := range x.anchors {
		a := &x.anchors[i]
		text, known := a.text(f)
		if !known {
			to = append(to, a.all...)
			continue
		}
		for _, n := range a.lengths {
			if n > len(text) {
				break
			}
			to = append(to, a.byPrefix[text[:n]]...)
		}
	}
	to = append(to, x.others...)
	slices.Sort(to[from:])
	return append(to[:from], slices.Compact(to[from:])...)
}

// seenBy returns which facts the rules and exemptions look at.
func (c *Config) seenBy() seen {
	var s seen
	add := func(m *Match) {
		s.add(m)
		for _, r := range m.UID {
			s.uids = append(s.uids, r.First, r.Last+1) // Last is never the highest number
		}
	}
	for i := range c.Rules {
		add(&c.Rules[i].Match)
		for j := range c.Rules[i].Except {
			add(&c.Rules[i].Except[j])
		}
	}
	for i := range c.Exempt {
		add(&c.Exempt[i])
	}
	slices.Sort(s.uids)
	s.uids = slices.Compact(s.uids)
	return s
}

func (s *seen) add(m *Match) {
	s.slice = s.slice || len(m.Slice) > 0
	s.cgroup = s.cgroup || len(m.Cgroup) > 0
	s.container = s.container || m.inContainer()
	s.exe = s.exe || len(m.Exe) > 0
	s.comm = s.comm || len(m.Comm) > 0
	s.uid = s.uid || len(m.UID) > 0
	s.main = s.main || m.Main != nil
	if len(m.AncestorExe) > 0 {
		s.ancestors = append(s.ancestors, m)
	}
}
