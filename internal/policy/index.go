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
	key Key
	// byPrefix has the rules by what one of their patterns begins with; lengths are
	// those of these beginnings, and all has all of the rules.
	byPrefix map[string][]int32
	lengths  []int
	all      []int32
}

func newIndex(rules []Rule) index {
	var x index
	for i, key := range [...]Key{KeyUnit, KeyExe, KeyNamespace, KeyContainer} {
		x.anchors[i] = anchor{key: key, byPrefix: map[string][]int32{}}
	}
	for i := range rules {
		x.add(&rules[i], int32(i))
	}
	return x
}

// known returns what the patterns of an anchor's key are for, and whether it is known. A
// name that only processes in some place have is empty elsewhere.
func (f *facts) known(k Key) (text string, known bool) {
	switch k {
	case KeyExe:
		if text = f.exe.path; text == "" && f.exe.cut {
			text = "/"
		}
		return text, text != ""
	case KeyUnit:
		return f.texts[k], f.place != nowhere
	default:
		text = f.texts[k]
		return text, text != "" || f.unnamed || f.place != nowhere && f.place < k.where()
	}
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
	patterns := m.Patterns[a.key]
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
		text, known := f.known(a.key)
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
	for k := range numKeys {
		s.given[k] = s.given[k] || m.has(k)
	}
	if m.has(KeyAncestorExe) {
		s.ancestors = append(s.ancestors, m)
	}
}
