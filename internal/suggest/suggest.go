// SPDX-License-Identifier: Apache-2.0

// Package suggest writes rules that expect what is sandboxed in a snapshot to stay
// so. They are a beginning, for people to look over.
//
// A rule names what stays the same: a unit, a container as Kubernetes names it, or
// else a program's path. It names no user, no version in a path, no instance of a
// template, nothing that is made up for each start, and no cgroup. Before a rule is
// written it judges the snapshot that it is made from: one that does not hold there
// becomes a comment, like everything that is not sandboxed.
package suggest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// maxListed is how many rules, and how many comments, are written: a host can run
// any number of programs.
const maxListed = 1000

// group is the processes that one match means.
type group struct {
	place
	processes []*scan.Process
	states    [4]int
}

// suggestion is one rule.
type suggestion struct {
	*group
	name   string
	expect policy.Expect
	// rights are the names of expect.Restricts.
	rights []string
}

// todo is what no rule was made for.
type todo struct {
	*group
	why string
}

// suggestions returns the rules for a snapshot, and what is left.
func suggestions(s *scan.Snapshot) ([]suggestion, []todo) {
	var rules []suggestion
	var todos []todo
	names := map[string]bool{}
	for _, g := range groups(s) {
		switch why := g.unfit(); {
		case why != "":
			todos = append(todos, todo{g, why})
		case len(rules) == maxListed:
			todos = append(todos, todo{g, "left out: too many rules"})
		default:
			x := expectationOf(s, g)
			rules = append(rules, suggestion{group: g, name: nameFor(g.label, names), expect: x, rights: x.Restricts})
		}
	}
	held := holding(s, rules)
	for _, r := range rules {
		if !held[r.name] {
			todos = append(todos, todo{r.group, "no rule: it would not hold now, for other processes match it too"})
		}
	}
	return slices.DeleteFunc(rules, func(r suggestion) bool { return !held[r.name] }), todos
}

// groups returns the processes of a snapshot by what names them, ordered by that.
func groups(s *scan.Snapshot) []*group {
	byLabel := map[string]*group{}
	var all []*group
	for i := range s.Processes {
		p := &s.Processes[i]
		at := placeOf(s, p)
		g := byLabel[at.label]
		if g == nil {
			g = &group{place: at}
			byLabel[at.label] = g
			all = append(all, g)
		}
		g.processes = append(g.processes, p)
		g.states[p.State&3]++
	}
	slices.SortFunc(all, func(a, b *group) int { return cmp.Compare(a.label, b.label) })
	return all
}

// unfit says why there can be no rule for a group; empty if there can.
func (g *group) unfit() string {
	n := len(g.processes)
	switch {
	case g.states[scan.Unknown] > 0:
		return fmt.Sprintf("%d of %s could not be told", g.states[scan.Unknown], processes(n))
	case g.states[scan.Unsandboxed] == n:
		return processes(n) + ", not sandboxed"
	case g.states[scan.Unsandboxed] > 0:
		return fmt.Sprintf("%d of %s not sandboxed", g.states[scan.Unsandboxed], processes(n))
	default:
		return g.nameless
	}
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// expectationOf returns what is true of all processes of a group.
func expectationOf(s *scan.Snapshot, g *group) policy.Expect {
	x := policy.Expect{Partial: g.states[scan.Partial] > 0}
	depth := ^uint16(0)
	handled := access.Every()
	for _, p := range g.processes {
		for _, t := range s.TasksOf(p) {
			if t.State != scan.Sandboxed {
				continue
			}
			var d uint16
			var of access.Rights
			if t.Domain >= 0 {
				d, of = s.Domains[t.Domain].Depth, handledBy(s, t.Domain)
			}
			depth = min(depth, d)
			handled = handled.Intersect(of)
		}
	}
	// A depth that was concluded may be less after a restart of landlockd.
	if depth > 1 && s.Source.Lineage == "known" {
		x.MinDepth = int(min(depth, 16))
	}
	// It is denied by every layer that handles any right of files.
	handled[access.FS] &^= access.Refer
	for _, name := range access.Names(handled) {
		if _, known := access.Lookup(name); known && !strings.Contains(name, ".bit") {
			x.Restricts = append(x.Restricts, name)
		}
	}
	return x
}

// handledBy returns what a domain and those that it is nested in handle together.
func handledBy(s *scan.Snapshot, d int32) access.Rights {
	var r access.Rights
	for d >= 0 {
		r = r.Union(s.Domains[d].Handled)
		if parent := s.Domains[d].Parent; parent < d {
			d = parent
		} else {
			break
		}
	}
	return r
}

// holding returns the names of the rules that hold in the snapshot, for every
// process that they are about.
func holding(s *scan.Snapshot, rules []suggestion) map[string]bool {
	c := policy.Default()
	for i := range rules {
		c.Rules = append(c.Rules, policy.Rule{Name: rules[i].name, Match: rules[i].match, Expect: rules[i].expect, Severity: c.Defaults.Severity})
	}
	held := map[string]bool{}
	for _, r := range policy.New(c, policy.Options{}).Evaluate(s).Rules {
		n := &r.Processes
		held[r.Rule.Name] = !r.Violated && n[policy.Compliant] > 0 && n[policy.Violating]+n[policy.Starting]+n[policy.Unknown] == 0
	}
	return held
}

// nameFor makes the name of a rule from a label, one that no other has.
func nameFor(label string, taken map[string]bool) string {
	const longest = 63
	var b strings.Builder
	for _, r := range strings.ToLower(label) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = "rule"
	}
	for i := 1; ; i++ {
		suffix := ""
		if i > 1 {
			suffix = fmt.Sprintf("-%d", i)
		}
		name := strings.TrimRight(base[:min(len(base), longest-len(suffix))], "-") + suffix
		if !taken[name] {
			taken[name] = true
			return name
		}
	}
}
