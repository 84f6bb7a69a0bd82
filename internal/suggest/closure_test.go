// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// written is what Write wrote, taken apart.
type written struct {
	rules []*writtenRule
	todos []writtenTodo
}

type writtenRule struct {
	name  string
	count int
	notes []string
	rule  *policy.Rule
	label string
}

type writtenTodo struct{ label, why string }

var (
	ruleLine = regexp.MustCompile(`^  - name: ([a-z0-9_-]+) # ([0-9]+) process(?:es)?$`)
	noteLine = regexp.MustCompile(`^    # (.+)$`)
	todoLine = regexp.MustCompile(`^# - ([^:]+(?::[^ :][^:]*)?): (.+)$`)
)

func takeApart(t *testing.T, text string, c *policy.Config) written {
	t.Helper()
	var w written
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := ruleLine.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2])
			w.rules = append(w.rules, &writtenRule{name: m[1], count: n})
		} else if m := noteLine.FindStringSubmatch(line); m != nil {
			last := w.rules[len(w.rules)-1]
			last.notes = append(last.notes, m[1])
		} else if m := todoLine.FindStringSubmatch(line); m != nil {
			w.todos = append(w.todos, writtenTodo{m[1], m[2]})
		}
	}
	if len(w.rules) != len(c.Rules) {
		t.Fatalf("%d rules found in the text, %d loaded", len(w.rules), len(c.Rules))
	}
	for i, r := range w.rules {
		r.rule = &c.Rules[i]
		m := &r.rule.Match
		text := func(patterns []policy.Pattern) string {
			literal, _ := patterns[0].Literal()
			return literal
		}
		switch {
		case len(m.Patterns[policy.KeyUnit]) > 0 && len(m.Patterns[policy.KeyExe]) > 0:
			r.label = "unit " + text(m.Patterns[policy.KeyUnit]) + " with " + text(m.Patterns[policy.KeyExe])
		case len(m.Patterns[policy.KeyUnit]) > 0:
			r.label = "unit " + text(m.Patterns[policy.KeyUnit])
		case len(m.Patterns[policy.KeyNamespace]) > 0:
			r.label = "container " + text(m.Patterns[policy.KeyNamespace]) + "/" + text(m.Patterns[policy.KeyContainer])
		case len(m.Patterns[policy.KeyContainer]) > 0:
			r.label = "container with " + text(m.Patterns[policy.KeyExe])
		default:
			r.label = "program " + text(m.Patterns[policy.KeyExe])
		}
	}
	return w
}

// kinds of what was written, to see that all were met.
type kinds map[string]int

// Whatever runs on a host: what is suggested can be loaded, is about something and
// complied with on the same snapshot and on the next, pins all that is certain, and
// every reason that it gives is true.
func TestSuggestionsHold(t *testing.T) {
	const forests = 600
	met := kinds{}
	rules := 0
	for seed := range uint64(forests) {
		r := rand.New(rand.NewPCG(seed, 13))
		f := someForest(r)
		s, specs := f.snapshot(r)
		text := text(t, s)
		c := loaded(t, text)
		w := takeApart(t, text, c)
		next, nextSpecs := f.snapshot(r)
		w.complied(t, s, c, specs)
		w.complied(t, next, c, nextSpecs)
		rules += len(c.Rules)
		f.judge(t, w, specs, met)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
	t.Logf("%d rules from %d forests, each judged by two snapshots; met %v", rules, forests, met)
	if rules < 2*forests {
		t.Errorf("%d rules: this says little", rules)
	}
	for kind, re := range reasons {
		if met[kind] < 10 {
			t.Errorf("%s was met %d times: this says little (%v)", kind, met[kind], re)
		}
	}
}

// complied checks that all rules apply to a snapshot, and hold for each process but
// those of which nothing is known that speaks for a rule.
func (w *written) complied(t *testing.T, s *scan.Snapshot, c *policy.Config, specs map[int32]*processSpec) {
	t.Helper()
	e := policy.New(c, policy.Options{})
	r := e.Evaluate(s)
	if r.Violated() || r.Applied != len(c.Rules) {
		t.Errorf("violated %v, %d of %d rules applied", r.Violated(), r.Applied, len(c.Rules))
	}
	nothingKnown := 0
	for i := range s.Processes {
		p := &s.Processes[i]
		for j, x := range e.Explain(s, p) {
			switch about, _ := specs[p.PID].about(w.rules[j].label); {
			case about == "nothing known" && x.Applies == access.Unknown:
				nothingKnown++
			case about != x.Applies.String() || about == "unknown" || about == "yes" && x.Result != policy.Compliant:
				t.Errorf("rule %s: about process %d: %s, want %s; it is %s: %s", x.Rule.Name, p.PID, x.Applies, about, x.Result, x.Why)
			}
		}
	}
	for i := range r.Rules {
		n := &r.Rules[i].Processes
		if n[policy.Starting] > 0 || n[policy.Compliant] != w.rules[i].count {
			t.Errorf("rule %s: %v, want %d compliant", w.rules[i].name, *n, w.rules[i].count)
		}
		nothingKnown -= n[policy.Unknown]
	}
	if nothingKnown < 0 {
		t.Errorf("%d unknown beyond those of which nothing is known", -nothingKnown)
	}
}

// judge compares all that was written with the forest.
func (f *forest) judge(t *testing.T, w written, specs map[int32]*processSpec, met kinds) {
	t.Helper()
	type group struct{ label, nameless string }
	groups := map[group][]*processSpec{}
	for _, p := range specs {
		label, nameless := p.label()
		groups[group{label, nameless}] = append(groups[group{label, nameless}], p)
	}
	if n := len(w.rules) + len(w.todos); n != len(groups) {
		t.Errorf("%d rules and comments for %d groups", n, len(groups))
	}
	for _, r := range w.rules {
		g := groups[group{r.label, ""}]
		delete(groups, group{r.label, ""})
		if len(g) == 0 {
			t.Errorf("rule %s is of nothing", r.name)
			continue
		}
		about := 0
		for _, p := range specs {
			if answer, _ := p.about(r.label); answer == "yes" {
				about++
			}
		}
		if r.count != about {
			t.Errorf("rule %s is about %d processes, not %d", r.name, about, r.count)
		}
		f.judgeRule(t, r, g, met)
	}
	for _, todo := range w.todos {
		var of []group
		for g, processes := range groups {
			if g.label == todo.label && f.true(todo.why, g.label, g.nameless, processes, specs) {
				of = append(of, g)
			}
		}
		if len(of) == 0 {
			t.Errorf("%s: %s: that is not so", todo.label, todo.why)
			continue
		}
		slices.SortFunc(of, func(a, b group) int { return strings.Compare(a.nameless, b.nameless) })
		delete(groups, of[0])
		met[kindOf(todo.why)]++
	}
}

// judgeRule compares a rule with what is true of its processes.
func (f *forest) judgeRule(t *testing.T, r *writtenRule, g []*processSpec, met kinds) {
	t.Helper()
	truth := f.truthOf(g...)
	x := &r.rule.Expect
	partial, free, dark, all := 0, 0, 0, 0
	effective, outside := map[access.Answer]int{}, map[access.Answer]int{}
	for _, p := range g {
		effective[f.effective(p)]++
		outside[f.outside(p)]++
		if p.state() == scan.Partial {
			n, unknown := p.free()
			partial, free, dark, all = partial+1, free+n, dark+unknown, all+len(p.threads)
		}
	}
	some := func(n int) string {
		if n == len(g) {
			return plural.Count(n, "process")
		}
		return fmt.Sprintf("%d of %s", n, plural.Count(len(g), "process"))
	}
	var want []string // the notes
	if partial > 0 {
		note := fmt.Sprintf("partial: %d of %d threads of %s in no domain", free, all, plural.Count(partial, "process"))
		if dark > 0 {
			note += fmt.Sprintf(", and %d may be in none", dark)
		}
		want = append(want, note)
	}
	sure := named(truth.sure)
	switch n := effective[access.Unknown]; {
	case n > 0:
		want = append(want, fmt.Sprintf("effective is false and restricts left out, as it is not known of %s whether anything is restricted: ", some(n)))
	case len(sure) == 0 && len(named(truth.may)) > 0:
		want = append(want, "restricts is left out, as no right is known to be restricted in all: ")
	case len(sure) > 0 && outside[access.Yes] > 0:
		want = append(want, fmt.Sprintf("restricts is left out, as a worker of the kernel (io_uring, vhost) may act outside of the domains of %s", some(outside[access.Yes])))
		sure = nil
	case len(sure) > 0 && outside[access.Unknown] > 0:
		want = append(want, fmt.Sprintf("restricts is left out, as it is not known of %s whether a worker of the kernel (io_uring, vhost) may act outside of the domains", some(outside[access.Unknown])))
		sure = nil
	}
	depth := 0
	if truth.shallow == truth.most && truth.shallow > 1 && f.source.Lineage == "known" {
		depth = truth.shallow
	}
	if !slices.Equal(x.Restricts, sure) || x.MinDepth != depth || x.Partial != (partial > 0) || x.Ineffective != (effective[access.Unknown] > 0) {
		t.Errorf("rule %s: %+v; certain are %v, depth %d", r.name, x, sure, depth)
	}
	if len(want) != len(r.notes) {
		t.Errorf("rule %s: notes %q, want %q", r.name, r.notes, want)
		return
	}
	for i, note := range r.notes {
		met[kindOf(note)]++
		because, ok := strings.CutPrefix(note, want[i])
		if !ok || strings.HasSuffix(want[i], ": ") != (because != "") || because != "" && !truth.doubted(because) {
			t.Errorf("rule %s: %q, want %q and a reason", r.name, note, want[i])
		}
	}
}

// doubted reports whether each of some sentences is a true reason for doubt.
func (t *truth) doubted(because string) bool {
	for sentence := range strings.SplitSeq(because, ", ") {
		if !t.doubts[sentence] {
			return false
		}
	}
	return true
}

// reasons are the forms of all that is written beside rules. It is never written.
var reasons = map[string]*regexp.Regexp{
	"unknown":           regexp.MustCompile(`^(\d+)(?: of (\d+))? process(?:es)? unknown$`),
	"unsandboxed":       regexp.MustCompile(`^(\d+) process(?:es)?, not sandboxed$`),
	"some unsandboxed":  regexp.MustCompile(`^(\d+) of (\d+) processes not sandboxed$`),
	"ineffective":       regexp.MustCompile(`^sandboxed, but restricts nothing: (\d+)(?: of (\d+))? process(?:es)?$`),
	"nameless":          regexp.MustCompile(`^no rule: its program is .+$`),
	"not about":         regexp.MustCompile(`^no rule: none would be about it: .+$`),
	"perhaps not about": regexp.MustCompile(`^no rule: it is not known whether one would be about it: .+$`),
	"another":           regexp.MustCompile(`^no rule: it would be about process (\d+) \(([^)]+)\), too: (.+)$`),
	"perhaps another":   regexp.MustCompile(`^no rule: it is not known whether it would be about process (\d+) \(([^)]+)\): (.+)$`),
	"partial":           regexp.MustCompile(`^partial: `),
	"effective unknown": regexp.MustCompile(`^effective is false `),
	"rights unknown":    regexp.MustCompile(`^restricts is left out, as no right `),
	"worker":            regexp.MustCompile(`^restricts is left out, as a worker `),
	"worker unknown":    regexp.MustCompile(`^restricts is left out, as it is not known `),
}

func kindOf(reason string) string {
	for kind, re := range reasons {
		if re.MatchString(reason) {
			return kind
		}
	}
	return ""
}

// true reports whether a reason for which there is no rule is true of a group.
func (f *forest) true(why, label, nameless string, g []*processSpec, specs map[int32]*processSpec) bool {
	states := map[scan.State]int{}
	for _, p := range g {
		states[p.state()]++
	}
	kind := kindOf(why)
	if kind == "" {
		return false
	}
	m := reasons[kind].FindStringSubmatch(why)
	number := func(i int) int { n, _ := strconv.Atoi(m[i]); return n }
	some := func(n int) bool { // of all, which are not counted if it is all of them
		return number(1) == n && n > 0 && (number(2) == len(g) || m[2] == "" && n == len(g))
	}
	switch kind {
	case "unknown":
		return some(states[scan.Unknown])
	case "unsandboxed":
		return number(1) == states[scan.Unsandboxed] && number(1) == len(g)
	case "some unsandboxed":
		return some(states[scan.Unsandboxed])
	case "ineffective":
		none := 0
		for _, p := range g {
			if f.effective(p) == access.No {
				none++
			}
		}
		return some(none)
	case "another", "perhaps another":
		p := specs[int32(number(1))]
		if p == nil || slices.Contains(g, p) || nameless != "" {
			return false
		}
		is, notKnown := p.about(label)
		called, _ := p.label()
		if kind == "perhaps another" {
			return called == m[2] && is == "unknown" && notKnown == m[3]
		}
		return called == m[2] && is == "yes" && f.trueOfOne(m[3], p)
	default:
		return why == nameless
	}
}

// trueOfOne reports whether all that a text says of a process is true.
func (f *forest) trueOfOne(words string, p *processSpec) bool {
	t := f.truthOf(p)
	rights := func(list string, in access.Rights) bool {
		list = strings.ReplaceAll(list, " (handled, but granted everywhere in some task)", "")
		list, others, left := strings.Cut(list, " and ")
		if left {
			more := 0
			_, err := fmt.Sscanf(others, "%d more", &more)
			named := 1 + strings.Count(list, ",")
			if err != nil || more < 1 || named+more > len(access.Of(in)) {
				return false
			}
		}
		for name := range strings.SplitSeq(list, ", ") {
			r, ok := access.Lookup(name)
			if !ok || !r.In(in) {
				return false
			}
		}
		return list != ""
	}
	for word := range strings.SplitSeq(words, "; ") {
		about, because, _ := strings.Cut(word, ": ")
		var ok bool
		var depth, want int
		switch n, _ := fmt.Sscanf(about, "its shallowest task is at depth %d, want at least %d", &depth, &want); {
		case n == 2:
			ok = depth == t.most && depth < want
		case strings.HasPrefix(about, "its shallowest task is at depth"):
			_, err := fmt.Sscanf(about, "its shallowest task is at depth %d or deeper, want at least %d", &depth, &want)
			ok = err == nil && depth == t.shallow && depth < want && t.most >= want && because == "not all domains that it is nested in are known"
		case about == "none of its tasks is in a domain":
			ok = p.state() == scan.Unsandboxed
		case about == "some of its tasks are in no domain":
			ok = p.state() == scan.Partial
		case about == "its state is unknown":
			ok = p.state() == scan.Unknown && because == "denied"
		case about == "it is sandboxed, but restricts nothing":
			ok = f.effective(p) == access.No
		case about == "not restricted in every task":
			ok = rights(because, access.Every().Without(t.may))
		case about == "it is not known whether it restricts anything":
			ok = f.effective(p) == access.Unknown && t.doubted(because)
		case strings.HasPrefix(about, "it is not known whether it restricts "):
			ok = rights(strings.TrimPrefix(about, "it is not known whether it restricts "), t.may.Without(t.sure)) && t.doubted(because)
		case about == "what it restricts may not hold":
			ok = strings.HasPrefix(because, "it has a thread") && f.outside(p) == access.Yes ||
				strings.HasPrefix(because, "it is not known whether a thread") && f.outside(p) == access.Unknown
		}
		if !ok {
			return false
		}
	}
	return true
}
