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
	// ruled are the names of the rules in comments.
	ruled []string
}

type writtenRule struct {
	name  string
	count int
	notes []string
	rule  *policy.Rule
	label string
}

type writtenTodo struct{ label, why string }

// uncommented returns a text in which all rules in comments are in force.
func uncommented(text string) string { return inComments.ReplaceAllString(text, "$1") }

var (
	ruleLine   = regexp.MustCompile(`^  - name: ([a-z0-9_-]+) # ([0-9]+) process(?:es)?$`)
	noteLine   = regexp.MustCompile(`^    # (.+)$`)
	inComments = regexp.MustCompile(`(?m)^# (  )`)
	// ruledLine is the name of a rule in comments.
	ruledLine = regexp.MustCompile(`^#   - name: ([a-z0-9_-]+) # (.+)$`)
	todoLine  = regexp.MustCompile(`^# - ([^:]+(?::[^ :][^:]*)?): (.+)$`)
)

func takeApart(t *testing.T, text string, c *policy.Config) written {
	t.Helper()
	var w written
	all := map[string]*policy.Rule{}
	inForce := loaded(t, uncommented(text))
	for i := range inForce.Rules {
		all[inForce.Rules[i].Name] = &inForce.Rules[i]
	}
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
		} else if m := ruledLine.FindStringSubmatch(line); m != nil {
			w.ruled = append(w.ruled, m[1])
			w.todos = append(w.todos, writtenTodo{labelOf(&all[m[1]].Match), m[2]})
		}
	}
	if len(w.rules) != len(c.Rules) {
		t.Fatalf("%d rules found in the text, %d loaded", len(w.rules), len(c.Rules))
	}
	for i, r := range w.rules {
		r.rule = &c.Rules[i]
		r.label = labelOf(&r.rule.Match)
	}
	return w
}

// labelOf returns what a match is called in comments.
func labelOf(m *policy.Match) (label string) {
	text := func(k policy.Key) string {
		if len(m.Patterns[k]) == 0 {
			return ""
		}
		literal, _ := m.Patterns[k][0].Literal()
		return literal
	}
	switch unit, exe := text(policy.KeyUnit), text(policy.KeyExe); {
	case unit != "" && exe != "":
		label = "unit " + unit + " with " + exe
	case unit != "":
		label = "unit " + unit
	case text(policy.KeyNamespace) != "":
		label = "container " + text(policy.KeyNamespace) + "/" + text(policy.KeyContainer)
	case len(m.Patterns[policy.KeyContainer]) > 0:
		label = "container with " + exe
	default:
		label = "program " + exe
	}
	if m.Main != nil {
		label += children
	}
	return label
}

// What stands behind the labels of the two parts of a group that was split.
const (
	children = " (all but its main process)"
	mainOnly = " (its main process)"
)

// kinds of what was written, to see that all were met.
type kinds map[string]int

// Whatever runs on a host: what is suggested can be loaded, is about something and
// complied with on the same snapshot and on the next, pins all that is certain, and
// every reason that it gives is true.
func TestSuggestionsHold(t *testing.T) {
	const forests = 800
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
		w.doNotHold(t, s, loaded(t, uncommented(text)))
		rules += len(c.Rules)
		f.judge(t, w, specs, met)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
	t.Logf("%d rules from %d forests, each judged by two snapshots; met %v", rules, forests, met)
	if rules < forests {
		t.Errorf("%d rules: this says little", rules)
	}
	if met["split"] < 10 {
		t.Errorf("%d groups were split: this says little", met["split"])
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

// doNotHold checks that each rule in comments is about something, and does not hold.
func (w *written) doNotHold(t *testing.T, s *scan.Snapshot, c *policy.Config) {
	t.Helper()
	for _, r := range policy.New(c, policy.Options{}).Evaluate(s).Rules {
		n := &r.Processes
		if slices.Contains(w.ruled, r.Rule.Name) && n[policy.Violating]+n[policy.Unknown] == 0 {
			t.Errorf("rule %s, which is in comments, holds: %v", r.Rule.Name, *n)
		}
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
	for g, of := range groups {
		if main, rest, ok := split(of); ok && g.nameless == "" {
			delete(groups, g)
			groups[group{g.label + mainOnly, ""}] = main
			groups[group{g.label + children, ""}] = rest
			met["split"]++
		}
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
	outside := map[access.Answer]int{}
	for _, p := range g {
		outside[f.outside(p)]++
		if p.state() != scan.Sandboxed || f.effective(p) != access.Yes {
			t.Errorf("rule %s: of a process that is %v, effective %v", r.name, p.state(), f.effective(p))
		}
	}
	some := func(n int) string {
		if n == len(g) {
			return plural.Count(n, "process")
		}
		return fmt.Sprintf("%d of %s", n, plural.Count(len(g), "process"))
	}
	var want []string // the notes
	sure := asked(truth.sure)
	switch {
	case sure.Empty() && !asked(truth.may).Empty():
		want = append(want, "restricts is left out, as no right is known to be restricted in all: ")
	case !sure.Empty() && outside[access.Yes] > 0:
		want = append(want, fmt.Sprintf("restricts is left out, as a worker of the kernel (io_uring, vhost) may act outside of the domains of %s", some(outside[access.Yes])))
		sure = access.Rights{}
	case !sure.Empty() && outside[access.Unknown] > 0:
		want = append(want, fmt.Sprintf("restricts is left out, as it is not known of %s whether a worker of the kernel (io_uring, vhost) may act outside of the domains", some(outside[access.Unknown])))
		sure = access.Rights{}
	}
	depth := 0
	if truth.shallow == truth.most && truth.shallow > 1 && f.source.Lineage == "known" {
		depth = truth.shallow
	}
	var restricts access.Rights
	for _, word := range x.Restricts {
		for _, right := range access.Match(word) {
			restricts = restricts.Union(right.Rights())
		}
	}
	unit := strings.HasPrefix(r.label, "unit ") // of which all in a forest are services
	if restricts != sure || x.MinDepth != depth || x.Partial || x.Ineffective || (r.rule.MinProcesses == 1) != unit {
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

// asked returns those of some rights that a rule can ask for by a name that stays.
func asked(rights access.Rights) (of access.Rights) {
	for _, r := range access.Of(rights) {
		if r.ABI > 0 {
			of = of.Union(r.Rights())
		}
	}
	return of
}

// split takes processes apart of which the main ones are free and all others sandboxed.
func split(g []*processSpec) (main, rest []*processSpec, ok bool) {
	for _, p := range g {
		switch state, is := p.state(), p.main(); {
		case state == scan.Unsandboxed && is == "yes":
			main = append(main, p)
		case state == scan.Sandboxed && is == "no":
			rest = append(rest, p)
		default:
			return nil, nil, false
		}
	}
	return main, rest, len(main) > 0 && len(rest) > 0
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
	"ineffective":       regexp.MustCompile(`^sandboxed, but restricts nothing: (\d+)(?: of (\d+))? process(?:es)? \(PID ([\d, ]+)(?: and \d+ more)?\)$`),
	"nameless":          regexp.MustCompile(`^no rule: its program is .+$`),
	"not about":         regexp.MustCompile(`^no rule: none would be about it: .+$`),
	"perhaps not about": regexp.MustCompile(`^no rule: it is not known whether one would be about it: .+$`),
	"another":           regexp.MustCompile(`^no rule: it would be about process (\d+) \(([^)]+)\), too: (.+)$`),
	"perhaps another":   regexp.MustCompile(`^no rule: it is not known whether it would be about process (\d+) \(([^)]+)\): (.+)$`),
	"partial":           regexp.MustCompile(`^partial: (\d+) of (\d+) threads of (\d+) process(?:es)? in no domain \(TID ([\d, ]+)(?: and \d+ more)?\)(?:, and (\d+) may be in none)?$`),
	"effective unknown": regexp.MustCompile(`^it is not known of (\d+)(?: of (\d+))? process(?:es)? \(PID ([\d, ]+)(?: and \d+ more)?\) whether anything is restricted: (.+)$`),
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
	case "ineffective", "effective unknown":
		answer := map[string]access.Answer{"ineffective": access.No, "effective unknown": access.Unknown}[kind]
		n := 0
		for _, p := range g {
			if f.effective(p) == answer {
				n++
			}
		}
		if kind == "effective unknown" {
			t := f.truthOf(g...)
			return some(n) && named(m[3], specs, g, func(p *processSpec) bool { return f.effective(p) == answer }) &&
				t.doubted(m[4])
		}
		return some(n) && named(m[3], specs, g, func(p *processSpec) bool { return f.effective(p) == answer })
	case "partial":
		free, dark, all, partial := 0, 0, 0, 0
		for _, p := range g {
			if p.state() == scan.Partial {
				n, unknown := p.free()
				free, dark, all, partial = free+n, dark+unknown, all+len(p.threads), partial+1
			}
		}
		said := 0
		if m[5] != "" {
			said = number(5)
		}
		return partial > 0 && number(1) == free && number(2) == all && number(3) == partial && said == dark
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

// named reports whether all PIDs of a list are of processes of a group of which something is true.
func named(list string, specs map[int32]*processSpec, g []*processSpec, is func(*processSpec) bool) bool {
	for word := range strings.SplitSeq(list, ", ") {
		pid, err := strconv.Atoi(word)
		if p := specs[int32(pid)]; err != nil || p == nil || !slices.Contains(g, p) || !is(p) {
			return false
		}
	}
	return true
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
