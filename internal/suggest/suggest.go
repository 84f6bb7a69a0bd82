// SPDX-License-Identifier: Apache-2.0

// Package suggest writes rules that expect what is sandboxed in a snapshot to stay
// so. They are a beginning, for people to look over.
//
// A rule names what stays the same: a unit, a container as Kubernetes names it, or
// else a program's path. It names no user, no version in a path, no instance of a
// template, nothing that is made up for each start, and no cgroup. It pins what is
// certain of all processes that it is about. Before a rule is written it judges the
// snapshot that it is made from: one that does not hold there becomes a comment with
// the reason, like everything that is not sandboxed or that restricts nothing.
package suggest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// maxListed is how many rules, and how many comments, are written: a host can run
// any number of programs.
const maxListed = 1000

// maxLabel bounds names in comments, in columns.
const maxLabel = 160

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
	// about is the number of processes that it is about, which may be in other
	// groups, too.
	about int
	// notes are what a reader must know before the rule is believed, a line each.
	notes []string
	// fault is why it would not hold in the snapshot, for some process that it is about;
	// empty if it holds.
	fault string
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
		switch why := g.unfit(s); {
		case why != "":
			todos = append(todos, todo{g, why})
		case len(rules) == maxListed:
			todos = append(todos, todo{g, "left out: too many rules"})
		default:
			r := suggestion{group: g, name: nameFor(g.label, names)}
			r.expect, r.notes = expectationOf(s, g)
			rules = append(rules, r)
		}
	}
	evaluate(s, rules)
	for _, r := range rules {
		if r.fault != "" {
			todos = append(todos, todo{r.group, r.fault})
		}
	}
	return slices.DeleteFunc(rules, func(r suggestion) bool { return r.fault != "" }), todos
}

// groups returns the processes of a snapshot by what names them, ordered by that.
func groups(s *scan.Snapshot) []*group {
	type id struct{ label, nameless string }
	byID := map[id]*group{}
	for i := range s.Processes {
		p := &s.Processes[i]
		at := placeOf(s, p)
		g := byID[id{at.label, at.nameless}]
		if g == nil {
			g = &group{place: at}
			byID[id{at.label, at.nameless}] = g
		}
		g.processes = append(g.processes, p)
		g.states[p.State&3]++
	}
	return slices.SortedFunc(maps.Values(byID), func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.nameless, b.nameless))
	})
}

// unfit returns why there can be no rule for a group; empty if there can.
func (g *group) unfit(s *scan.Snapshot) string {
	n := len(g.processes)
	switch {
	case g.states[scan.Unknown] > 0:
		return g.some(g.states[scan.Unknown]) + " unknown"
	case g.states[scan.Unsandboxed] == n:
		return plural.Count(n, "process") + ", not sandboxed"
	case g.states[scan.Unsandboxed] > 0:
		return g.some(g.states[scan.Unsandboxed]) + " not sandboxed"
	case g.nameless != "":
		return g.nameless
	}
	if none := g.count(func(p *scan.Process) bool { return effective(s, p) == access.No }); none > 0 {
		return "sandboxed, but restricts nothing: " + g.some(none)
	}
	return ""
}

// count returns the number of processes of which something is true.
func (g *group) count(is func(*scan.Process) bool) int {
	n := 0
	for _, p := range g.processes {
		if is(p) {
			n++
		}
	}
	return n
}

// some returns how many of a group's processes are meant.
func (g *group) some(n int) string {
	if all := len(g.processes); n < all {
		return fmt.Sprintf("%d of %s", n, plural.Count(all, "process"))
	}
	return plural.Count(n, "process")
}

// evaluate finds out what rules are about, and their faults.
func evaluate(s *scan.Snapshot, rules []suggestion) {
	c := policy.Default()
	byName := map[string]*suggestion{}
	for i := range rules {
		r := &rules[i]
		byName[r.name] = r
		c.Rules = append(c.Rules, policy.Rule{
			Name: r.name, Match: r.match, Expect: r.expect, Severity: c.Defaults.Severity,
		})
	}
	for _, of := range policy.New(c, policy.Options{}).Evaluate(s).Rules {
		r := byName[of.Rule.Name]
		r.about = of.Processes[policy.Compliant]
		if p := s.Find(cmp.Or(of.First[policy.Violating], of.First[policy.Unknown])); p != nil {
			r.fault = r.faultOf(s, p)
		}
	}
}

// faultOf returns why a rule does not hold for a process that it matches.
func (r *suggestion) faultOf(s *scan.Snapshot, p *scan.Process) string {
	who := fmt.Sprintf("process %d (%s)", p.PID, untrusted.EscapeWords(placeOf(s, p).label, maxLabel, true))
	if applies, why := r.match.About(s, p); applies != access.Yes {
		return fmt.Sprintf("no rule: it is not known whether it would be about %s: %s", who, why)
	}
	_, _, why := r.expect.Judge(s, p)
	return fmt.Sprintf("no rule: it would be about %s, too: %s", who, why)
}

// nameFor makes the name of a rule from a label, one that no other has.
func nameFor(label string, taken map[string]bool) string {
	const longest = 63
	base := strings.Trim(notOfName.ReplaceAllString(strings.ToLower(label), "-"), "-")
	base = cmp.Or(base, "rule")
	name := strings.TrimRight(base[:min(len(base), longest)], "-")
	for i := 2; taken[name]; i++ {
		suffix := fmt.Sprintf("-%d", i)
		name = strings.TrimRight(base[:min(len(base), longest-len(suffix))], "-") + suffix
	}
	taken[name] = true
	return name
}

var notOfName = regexp.MustCompile(`[^a-z0-9_]+`)
