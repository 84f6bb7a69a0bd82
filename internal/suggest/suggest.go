// SPDX-License-Identifier: Apache-2.0

// Package suggest writes rules that expect what is sandboxed in a snapshot to stay
// so. They are a beginning, for people to look over and commit.
//
// A rule names what stays the same: a unit, a container as Kubernetes names it, or
// else a program's path. It names no user, no version in a path, no instance of a
// template, nothing that is made up for each start, and no cgroup. It pins what is
// certain of all processes that it is about. Before a rule is written it judges the
// snapshot that it is made from: one that does not hold there becomes a comment with
// the reason.
//
// What is not as it should be is in no rule that is in force: threads outside of the
// domain, a sandbox that restricts nothing, a service that has none. Each is a rule
// in comments, which does not hold now, and says what is wrong.
package suggest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
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

// todo is what no rule in force was made for.
type todo struct {
	*group
	why string
	// name is that of the rule in comments; empty if there is none.
	name string
}

// suggestions returns the rules for a snapshot, what there is to do, and how much of that is left
// out.
func suggestions(s *scan.Snapshot, used []string) (rules []suggestion, todos []todo, left int) {
	for _, g := range groups(s) {
		switch wrong := g.unfit(s); {
		case wrong.why != "":
			t := todo{group: g, why: wrong.why}
			if wrong.ruled {
				t.name = unnamed
			}
			todos = append(todos, t)
		default:
			r := suggestion{group: g}
			r.expect, r.notes = expectationOf(s, g)
			rules = append(rules, r)
		}
	}
	rules, over := foremost(rules)
	for _, r := range over {
		todos = append(todos, todo{group: r.group, why: "left out: too many rules"})
	}
	todos, others := foremost(todos)
	nameAll(rules, todos, used)
	evaluate(s, rules)
	for _, r := range rules {
		if r.fault != "" {
			todos = append(todos, todo{group: r.group, why: r.fault})
		}
	}
	todos, more := foremost(todos)
	rules = slices.DeleteFunc(rules, func(r suggestion) bool { return r.fault != "" })
	return rules, todos, len(others) + len(more)
}

// foremost returns maxListed of all, in their order, and the others: what always runs comes
// before services, and those before all else. Of that any user can have as much as he likes.
func foremost[T interface{ what() kind }](all []T) (first, others []T) {
	var of [daemon + 1]int
	for _, t := range all {
		of[t.what()]++
	}
	room := maxListed
	for k := range of {
		k = len(of) - 1 - k
		of[k] = min(of[k], room)
		room -= of[k]
	}
	for _, t := range all {
		if k := t.what(); of[k] > 0 {
			of[k]--
			first = append(first, t)
		} else {
			others = append(others, t)
		}
	}
	return first, others
}

func (g *group) what() kind { return g.kind }

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
		g.add(p)
	}
	var all []*group
	for _, g := range byID {
		if main, children, ok := g.split(s); ok {
			all = append(all, main, children)
		} else {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.nameless, b.nameless))
	})
	return all
}

func (g *group) add(p *scan.Process) {
	g.processes = append(g.processes, p)
	g.states[p.State&3]++
}

// split takes a group apart in which a parent is free and its children are not: those
// that rules call main, none of which is in a domain, and all others, which are.
func (g *group) split(s *scan.Snapshot) (main, children *group, ok bool) {
	if g.nameless != "" || g.states[scan.Unsandboxed] == 0 || g.states[scan.Sandboxed] == 0 ||
		g.states[scan.Unsandboxed]+g.states[scan.Sandboxed] != len(g.processes) {
		return nil, nil, false
	}
	main, children = &group{place: g.place}, &group{place: g.place}
	main.label += " (its main process)"
	main.kind = process
	children.label += " (all but its main process)"
	children.names = nil
	for _, name := range g.names {
		children.names = append(children.names, name+"-children")
	}
	children.match.Main = new(false)
	for _, p := range g.processes {
		of := main
		if p.State == scan.Sandboxed {
			of = children
		}
		of.add(p)
		if about, _ := children.match.About(s, p); about != access.Between(of == children, of == children) {
			return nil, nil, false
		}
	}
	return main, children, true
}

// wrong is why there can be no rule in force for a group.
type wrong struct {
	why string
	// ruled: a rule can be written that does not hold for it now.
	ruled bool
}

// unfit returns why there can be no rule for a group; nothing if there can.
func (g *group) unfit(s *scan.Snapshot) wrong {
	free := g.states[scan.Unsandboxed]
	ruled := g.nameless == ""
	switch {
	case g.states[scan.Unknown] > 0:
		return wrong{why: g.some(g.states[scan.Unknown]) + " unknown"}
	case free == len(g.processes):
		return wrong{plural.Count(free, "process") + ", not sandboxed", ruled && g.kind != process}
	case free > 0:
		return wrong{g.some(free) + " not sandboxed", ruled}
	case !ruled:
		return wrong{why: g.nameless}
	case g.states[scan.Partial] > 0:
		return wrong{g.partial(s), true}
	}
	none := g.which(func(p *scan.Process) bool { return effective(s, p) == access.No })
	if len(none) > 0 {
		return wrong{fmt.Sprintf("sandboxed, but restricts nothing: %s (%s)",
			g.some(len(none)), pids(none)), true}
	}
	vague := g.which(func(p *scan.Process) bool { return effective(s, p) == access.Unknown })
	if len(vague) > 0 {
		var doubt domainid.Doubt
		for _, p := range vague {
			sandbox, _ := s.SandboxOf(p)
			doubt |= sandbox.Doubt
		}
		return wrong{fmt.Sprintf("it is not known of %s (%s) whether anything is restricted: %s",
			g.some(len(vague)), pids(vague), because(doubt)), true}
	}
	return wrong{}
}

// which returns the processes of which something is true.
func (g *group) which(is func(*scan.Process) bool) (of []*scan.Process) {
	for _, p := range g.processes {
		if is(p) {
			of = append(of, p)
		}
	}
	return of
}

// some returns how many of a group's processes are meant.
func (g *group) some(n int) string {
	if all := len(g.processes); n < all {
		return fmt.Sprintf("%d of %s", n, plural.Count(all, "process"))
	}
	return plural.Count(n, "process")
}

// maxNamed is how many processes or threads are named.
const maxNamed = 4

// pids names processes.
func pids(of []*scan.Process) string {
	numbers := make([]int32, len(of))
	for i, p := range of {
		numbers[i] = p.PID
	}
	return "PID " + plural.First(numbers, maxNamed)
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
