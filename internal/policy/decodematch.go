// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// match reads one match, of which at least one key must narrow what is meant.
func (d *decoder) match(n *yaml.Node) Match { return d.matchWith(n, nil) }

// except reads an item of except, which can be a waiver.
func (d *decoder) except(n *yaml.Node) Match {
	var a *Accept
	m := d.matchWith(n, func(n *yaml.Node) { a = d.accept(n) })
	m.Accept = a
	return m
}

func (d *decoder) matchWith(n *yaml.Node, accept func(*yaml.Node)) Match {
	var m Match
	keys := len(n.Content) / 2
	if accept == nil {
		accept = func(n *yaml.Node) {
			d.fail(n, "accept stands beside match, in a rule, or in an item of its except")
		}
	}
	fields := make([]field, 0, numKeys+2)
	for k := range numPatterns {
		f := field{key: k.String()}
		if mentions(n, f.key) { // a function for each key is most of what a match costs
			f.read = func(n *yaml.Node) { m.Patterns[k] = d.patterns(n, k) }
		}
		fields = append(fields, f)
	}
	fields = append(fields,
		field{"uid", func(n *yaml.Node) { d.list(n, maxItems, func(n *yaml.Node) { d.uid(n, &m) }) }},
		field{"main", func(n *yaml.Node) { m.Main = new(d.boolean(n)) }},
		field{"mntns", func(n *yaml.Node) { m.AnyMountNS = d.word(n, "any") == 0 }},
		field{"accept", accept})
	seen := d.mapping(n, fields...)
	if seen == nil {
		return m
	}
	at, qualified := seen["mntns"], seen["exe"] != nil || seen["ancestor_exe"] != nil || seen["comm"] != nil
	if at != nil && !qualified {
		d.fail(at, "mntns says something of exe, ancestor_exe and comm only, and none is here")
	} else if keys == 0 || keys == 1 && seen["accept"] != nil {
		d.fail(n, "an empty match: it would mean every process")
	}
	d.warnMatch(seen, &m)
	return m
}

// mentions reports whether a mapping has a key.
func mentions(n *yaml.Node, key string) bool {
	return slices.ContainsFunc(n.Content, func(of *yaml.Node) bool { return of.Value == key })
}

func (d *decoder) patterns(n *yaml.Node, k Key) (all []Pattern) {
	d.list(n, maxItems, func(n *yaml.Node) {
		text, ok := d.text(n, "text (put it in quotes)")
		if !ok {
			return
		}
		p, err := ParsePattern(text)
		if err != nil {
			d.fail(n, "%s: %s", quote(text), untrusted.OneLine(err.Error()))
		} else {
			d.warnPattern(n, k, &p)
		}
		all = append(all, p)
	})
	return all
}

func (d *decoder) uid(n *yaml.Node, m *Match) {
	r, ok := parseUIDs(n.Value)
	isNumber := n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!int" || n.ShortTag() == "!!str")
	if !isNumber || !ok {
		d.fail(n, "%s: want a user ID or a range such as 1000-1999; "+
			"names are not the same on every host", what(n))
	}
	m.UID = append(m.UID, r)
}

// parseUIDs reads "1000" and "1000-1999".
func parseUIDs(text string) (r UIDRange, ok bool) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	lo, isFirst := parseUID(first)
	hi, isLast := parseUID(last)
	// The kernel takes the last number for no user.
	return UIDRange{lo, hi}, isFirst && isLast && lo <= hi && hi < math.MaxUint32
}

func parseUID(text string) (uint32, bool) {
	v, err := strconv.ParseUint(text, 10, 32)
	// To YAML, a number that begins with 0 is octal.
	return uint32(v), err == nil && (text == "0" || text[0] != '0')
}

// exempt reads a match that takes processes out of all rules. So it refuses one that
// a process could make true of itself.
func (d *decoder) exempt(n *yaml.Node) Match {
	before := len(d.problems)
	m := d.match(n)
	if len(d.problems) > before {
		return m
	}
	given := func(p []Pattern) bool { return len(p) > 0 }
	switch {
	case m.has(KeyComm) || m.has(KeyCmdline):
		d.fail(n, "exempt by comm or cmdline: a process chooses both itself")
	case !m.has(KeyUID) && !slices.ContainsFunc(m.Patterns[:numTexts], given):
		d.fail(n, "exempt by exe, ancestor_exe or main alone: "+
			"want a unit, slice, container, namespace, pod, cgroup or uid with it")
	}
	return m
}
