// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// everything keeps processes apart whatever rules look at.
func everything(c *Config) seen {
	all := seen{ancestors: c.seenBy().ancestors}
	for k := range numKeys {
		all.given[k] = true
	}
	return all
}

// naive judges every process by every rule, without an index, a cache or groups.
type naive struct {
	config  *Config
	cmdline func(*scan.Process) (string, bool)
	applied map[string]bool
	tooFew  map[string]uint64
}

func (e *naive) evaluate(s *scan.Snapshot) *Evaluation {
	r := &Evaluation{Loaded: len(e.config.Rules)}
	about := map[int32]bool{}
	for i := range e.config.Rules {
		rule := &e.config.Rules[i]
		x := RuleEvaluation{Rule: rule}
		var sure, maybe, doubtful int
		var oldest *scan.Process
		few := false
		by := map[string]*Violation{}
		for j := range s.Processes {
			p := &s.Processes[j]
			f := allFactsOf(s, p, everything(e.config))
			l, _ := rule.about(&f, e.config.exemption(&f), func() (string, bool) { return e.cmdline(p) }, s.Time)
			if l == no {
				continue
			}
			result, reason, _ := rule.Expect.Judge(s, p)
			if result == Violating && max(0, s.Uptime-time.Duration(p.Start)) < rule.Grace {
				result = Starting
			}
			if result == Violating && e.waived(rule, &f, p, s.Time) {
				result = Waived
			}
			if l == likely {
				result = Unknown
			}
			if l >= likely {
				if x.First[result] == 0 {
					x.First[result] = p.PID
				}
				about[p.PID] = true
			}
			switch l {
			case yes:
				sure++
				x.Processes[result]++
			case likely:
				e.applied[rule.Name] = true
				maybe++
				x.Processes[Unknown]++
			default:
				maybe++
				doubtful++
			}
			if l != yes || result != Violating {
				continue
			}
			name := ""
			if w := s.WorkloadOf(p); w != nil {
				name = w.Name
			}
			key := fmt.Sprintf("%d %s", reason, name)
			if by[key] == nil {
				by[key] = &Violation{Reason: reason, Workload: name}
			}
			if oldest == nil || p.Start < oldest.Start {
				oldest = p
				x.Since = p.Start
			}
			if by[key].Processes++; by[key].Processes <= maxPIDs {
				by[key].PIDs = append(by[key].PIDs, p.PID)
			}
		}
		e.applied[rule.Name] = e.applied[rule.Name] || sure > 0
		x.Applied = e.applied[rule.Name]
		if x.Applied {
			r.Applied++
		}
		if !x.Applied && rule.MinProcesses == 0 {
			u := Unmatched{rule, access.No}
			if maybe > 0 || s.Source.PIDNS == "nested" {
				u.Applies = access.Unknown
			}
			r.Unmatched = append(r.Unmatched, u)
			continue
		}
		x.Violated = x.Processes[Violating] > 0
		x.Accepts = rule.Accepts(s.Time)
		for _, v := range by {
			x.Violations = append(x.Violations, *v)
		}
		slices.SortFunc(x.Violations, func(a, b Violation) int {
			if a.Reason != b.Reason {
				return int(a.Reason) - int(b.Reason)
			}
			return strings.Compare(a.Workload, b.Workload)
		})
		if missing := rule.MinProcesses - sure; missing > 0 {
			if maybe >= missing || s.Source.PIDNS == "nested" {
				x.CountUnknown = true
				x.Processes[Unknown] += max(0, min(doubtful, missing-(maybe-doubtful)))
			} else if a := rule.Accept; a != nil && s.Time.Before(a.Until) {
				x.MissingWaived = missing
			} else {
				x.Violated = true
				x.Violations = append(x.Violations, Violation{Reason: TooFew, Processes: missing})
				few = true
			}
		}
		if !few {
			delete(e.tooFew, rule.Name)
		} else if _, ok := e.tooFew[rule.Name]; !ok {
			e.tooFew[rule.Name] = uint64(uptime(s))
		}
		if at := e.tooFew[rule.Name]; few && (x.Since == 0 || at < x.Since) {
			x.Since = at
		}
		r.Rules = append(r.Rules, x)
	}
	r.About = slices.Sorted(maps.Keys(about))
	r.Violators = e.violators(s)
	r.Undecided = e.undecided(s)
	return r
}

// waived reports whether what a process violates is accepted.
func (e *naive) waived(r *Rule, f *facts, p *scan.Process, at time.Time) bool {
	if r.Accept != nil && at.Before(r.Accept.Until) {
		return true
	}
	for i := range r.Except {
		l, _ := r.Except[i].level(f, allTasks, func() (string, bool) { return e.cmdline(p) })
		if a := r.Except[i].Accept; a != nil && at.Before(a.Until) && l == yes {
			return true
		}
	}
	return false
}

// violators lists the processes that violate some rule.
func (e *naive) violators(s *scan.Snapshot) (list []Violator) {
	explainer := New(e.config, Options{Cmdline: e.cmdline})
	for i := range s.Processes {
		p := &s.Processes[i]
		v := Violator{PID: p.PID, Start: p.Start}
		for _, x := range explainer.Explain(s, p) {
			if x.Applies == access.Yes && x.Result == Violating {
				v.Verdicts = append(v.Verdicts, Verdict{x.Rule, Violating, x.Reason})
			}
		}
		slices.SortStableFunc(v.Verdicts, func(a, b Verdict) int {
			return falseFirst(a.Rule.usesCmdline()) - falseFirst(b.Rule.usesCmdline())
		})
		if len(v.Verdicts) > 0 {
			list = append(list, v)
		}
	}
	return list
}

// undecided lists the processes of which it is not known of some rule whether it is
// about them: by why, of the first rule, those last that look at command lines.
func (e *naive) undecided(s *scan.Snapshot) (list []Undecided) {
	by := map[Doubt]*Undecided{}
	for i := range s.Processes {
		p := &s.Processes[i]
		f := allFactsOf(s, p, everything(e.config))
		var first [2]Doubt
		for j := range e.config.Rules {
			rule := &e.config.Rules[j]
			l, w := rule.about(&f, e.config.exemption(&f), func() (string, bool) { return e.cmdline(p) }, s.Time)
			at := &first[0]
			if rule.usesCmdline() {
				at = &first[1]
			}
			if l == unknown && *at == NoDoubt {
				*at = w.key.doubt(&f)
			}
		}
		d := max(first[0], first[1])
		if d == NoDoubt {
			continue
		}
		if by[d] == nil {
			by[d] = &Undecided{Doubt: d}
		}
		if by[d].Processes++; by[d].Processes <= maxPIDs {
			by[d].PIDs = append(by[d].PIDs, p.PID)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(by)) {
		list = append(list, *by[d])
	}
	return list
}

// falseFirst puts what is false first.
func falseFirst(b bool) int {
	if b {
		return 1
	}
	return 0
}

func oneOf[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

// someMatch returns a random match as YAML.
func someMatch(rnd *rand.Rand, exempt bool) string {
	var keys []string
	add := func(key string, items ...string) {
		list := []string{oneOf(rnd, items...)}
		if rnd.IntN(3) == 0 {
			list = append(list, oneOf(rnd, items...))
		}
		keys = append(keys, fmt.Sprintf("%s: [%q]", key, list[0]))
		if len(list) > 1 {
			keys[len(keys)-1] = fmt.Sprintf("%s: [%q, %q]", key, list[0], list[1])
		}
	}
	for len(keys) == 0 {
		if rnd.IntN(3) > 0 {
			add("unit", "a.service", "b.service", "c@1.service", "c@*.service", "user@5/a.service", "user@*/*", "re:[ab].service", "**")
		}
		if rnd.IntN(6) == 0 {
			add("slice", "system.slice", "x*.slice")
		}
		if rnd.IntN(6) == 0 {
			add("container", "web", "w*", "*", "db")
		}
		if rnd.IntN(12) == 0 {
			add("namespace", "n", "*")
		}
		if rnd.IntN(12) == 0 {
			add("pod", "p", "*")
		}
		if rnd.IntN(12) == 0 {
			add("cgroup", "/system.slice/**", "/x/*")
		}
		if rnd.IntN(6) == 0 {
			add("uid", "0", "0-1", "5")
		}
		if exempt {
			continue
		}
		if rnd.IntN(3) == 0 {
			add("exe", "/bin/a", "/bin/b", "/bin/*", "/**/c", "/x/**", "re:/x.*", "/bin/"+strings.Repeat("e", 300))
		}
		if rnd.IntN(8) == 0 {
			add("comm", "a", "?")
		}
		if rnd.IntN(8) == 0 {
			add("ancestor_exe", "/bin/a", "/bin/*", "/x/**")
		}
		if rnd.IntN(8) == 0 {
			add("cmdline", "a", "re:.")
		}
		if rnd.IntN(6) == 0 {
			keys = append(keys, oneOf(rnd, "main: true", "main: false"))
		}
	}
	if text := strings.Join(keys, " "); rnd.IntN(4) == 0 && (strings.Contains(text, "exe:") || strings.Contains(text, "comm:")) {
		keys = append(keys, "mntns: any")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

func someRules(rnd *rand.Rand) string {
	var b strings.Builder
	if rnd.IntN(2) == 0 {
		fmt.Fprintf(&b, "exempt:\n- %s\n", someMatch(rnd, true))
	}
	b.WriteString("rules:\n")
	for i := range 1 + rnd.IntN(30) {
		fmt.Fprintf(&b, "- name: r%d\n  match: %s\n  grace: %ds\n  min_processes: %d\n", i, someMatch(rnd, false), 10*rnd.IntN(20), max(0, rnd.IntN(6)-3))
		if rnd.IntN(3) == 0 {
			fmt.Fprintf(&b, "  except:\n  - %s\n", someMatch(rnd, false))
			accepted := strings.TrimSuffix(someMatch(rnd, false), "}")
			if rnd.IntN(2) == 0 {
				accepted += fmt.Sprintf(", accept: {until: 2027-01-0%d, reason: soon}", 1+rnd.IntN(5))
			}
			fmt.Fprintf(&b, "  - %s}\n", accepted)
		}
		if rnd.IntN(5) == 0 {
			fmt.Fprintf(&b, "  accept: {until: 2027-01-0%d, reason: later}\n", 1+rnd.IntN(5))
		}
		if rnd.IntN(8) == 0 {
			b.WriteString("  expect: {state: [unsandboxed]}\n")
			continue
		}
		fmt.Fprintf(&b, "  expect: {state: %s, min_depth: %d, effective: %t",
			oneOf(rnd, "[sandboxed]", "[sandboxed, partial]"), rnd.IntN(3), rnd.IntN(2) == 0)
		if rnd.IntN(3) == 0 {
			fmt.Fprintf(&b, ", max_depth: %d", 2+rnd.IntN(2))
		}
		if rnd.IntN(2) == 0 {
			fmt.Fprintf(&b, ", restricts: [%q], on_old_kernel: %s, outside_workers: %s",
				oneOf(rnd, "fs.*", "fs.execute", "net.*", "net.bind_udp"), oneOf(rnd, "skip", "violation"),
				oneOf(rnd, "unknown", "violation", "allow"))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func someHost(rnd *rand.Rand) host {
	h := newHost()
	h.Time = time.Date(2026, 12, 31, rnd.IntN(24*6), 0, 0, 0, time.FixedZone("", 3600*(rnd.IntN(20)-10)))
	h.kernel(oneOf(rnd, 1, 6, 11))
	if rnd.IntN(4) == 0 { // a kernel of which not all is known
		h.Kernel.Rights.Sure[access.Net] = 0
	}
	if rnd.IntN(8) == 0 {
		h.Kernel.Landlock = scan.Disabled
	}
	h.Source.PIDNS = oneOf(rnd, "init", "init", "init", "nested")
	h.Source.Rules = oneOf(rnd, "read", "read", "unread", "none")
	for i := range rnd.IntN(6) {
		d := h.domain(int32(rnd.IntN(i+1))-1, oneOf(rnd, allFS, access.Rights{access.Net: 3}, access.Rights{access.FS: 1}, access.Rights{}))
		h.Domains[d].Lineage = oneOf(rnd, domainid.LineageKnown, domainid.LineageKnown, domainid.LineageInferred)
	}
	for range rnd.IntN(8) {
		w := scan.Workload{Cgroup: oneOf(rnd, "", "/x/y", "/system.slice/z"), Slice: oneOf(rnd, "", "system.slice", "x1.slice"),
			Name: oneOf(rnd, "n1", "n2"), FullName: oneOf(rnd, "f1", "f2"), Delegated: rnd.IntN(5) == 0}
		switch w.Kind = scan.WorkloadKind(rnd.IntN(4)); w.Kind {
		case scan.Unit:
			w.Unit = oneOf(rnd, "a.service", "b.service", "c@1.service")
		case scan.UserUnit:
			w.Unit = "user@5/" + oneOf(rnd, "a.service", "b.service")
		case scan.InContainer:
			w.Unit = oneOf(rnd, "", "user@5.service")
			w.Container = &scan.Container{ID: oneOf(rnd, "1", "2"), PodUID: oneOf(rnd, "", "u"), Name: oneOf(rnd, "", "web", "db"),
				Namespace: oneOf(rnd, "", "n"), Pod: oneOf(rnd, "", "p")}
		}
		h.workload(w)
	}
	for range rnd.IntN(60) {
		tasks := make([]int32, 1+rnd.IntN(2))
		for i := range tasks {
			tasks[i] = int32(rnd.IntN(len(h.Domains)+2)) - 2
		}
		p := h.process(int32(rnd.IntN(len(h.Workloads)+1))-1, oneOf(rnd, "", "/bin/a", "/bin/b", "/x/y/c"), tasks...)
		if rnd.IntN(8) == 0 {
			p.Exe, p.ExeCut = oneOf(rnd, "", "/x/"+strings.Repeat("d", scan.CutPath), "/bin/"+strings.Repeat("e", scan.CutPath)), true
		}
		p.PPID = int32(rnd.IntN(40))
		p.Start = uint64(rnd.IntN(1100)) * second
		p.UID = uint32(rnd.IntN(7))
		tasksOf := h.TasksOf(p)
		for i := range tasksOf {
			t := &tasksOf[i]
			if t.UID = p.UID; rnd.IntN(4) == 0 {
				t.UID = uint32(rnd.IntN(7))
				p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
			}
			if t.Domain >= 0 && rnd.IntN(3) > 0 {
				everywhere := make([]uint32, h.Domains[t.Domain].Depth)
				for j := range everywhere {
					everywhere[j] = oneOf[uint32](rnd, 0, 1, allFS[access.FS])
				}
				t.View = h.view(t.Domain, everywhere...)
			}
		}
		for rnd.IntN(4) == 0 {
			h.worker(oneOf(rnd, freePlace, darkPlace), oneOf(rnd, freePlace, darkPlace))
		}
		p.ExeOrigin = oneOf(rnd, scan.OriginUnknown, scan.OfHost, scan.OfHost, scan.OfHost, scan.OfImage, scan.OfUser)
		copy(p.Comm[:], oneOf(rnd, "a", "bb", ""))
	}
	return h
}

// ruled returns for each workload whether a rule is about some process of it.
func (e *naive) ruled(s *scan.Snapshot) []bool {
	ruled := make([]bool, len(s.Workloads))
	for i := range s.Processes {
		p := &s.Processes[i]
		f := allFactsOf(s, p, everything(e.config))
		for j := range e.config.Rules {
			l, _ := e.config.Rules[j].about(&f, e.config.exemption(&f), func() (string, bool) { return e.cmdline(p) }, s.Time)
			if p.Workload >= 0 && l >= likely {
				ruled[p.Workload] = true
			}
		}
	}
	return ruled
}

// TestHasRule: names are folded, so that several workloads share one.
func TestHasRule(t *testing.T) {
	r := Evaluation{
		ruled:     []bool{false, false, true, false},
		workloads: []scan.Workload{{Name: "a"}, {Name: "b"}, {Name: "b"}, {Name: "c"}},
	}
	for name, want := range map[string]bool{"": false, "a": false, "b": true, "c": false, "d": false} {
		if got := r.HasRule(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// Index, cache and groups change nothing, whatever the rules, and however hosts
// follow each other.
func TestEvaluateIsWhatItSays(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 150
	}
	var results [NumResults]int
	unmatched := map[access.Answer]int{}
	for seed := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		text := someRules(rnd)
		c := load(t, text)
		cmdline := func(p *scan.Process) (string, bool) { return string('a' + p.PID%3), p.PID%4 != 0 }
		fast := New(c, Options{Cmdline: cmdline, Unmatched: true})
		slow := &naive{c, cmdline, map[string]bool{}, map[string]uint64{}}
		for n := range 5 {
			h := someHost(rnd)
			got, want := fast.Evaluate(h.Snapshot), slow.evaluate(h.Snapshot)
			want.ruled, want.workloads = slow.ruled(h.Snapshot), h.Workloads
			for _, u := range want.Unmatched {
				unmatched[u.Applies]++
			}
			if !reflect.DeepEqual(got.Unmatched, want.Unmatched) {
				t.Fatalf("seed %d, scan %d: about nothing are %+v, want %+v\n%s",
					seed, n, got.Unmatched, want.Unmatched, text)
			}
			if !reflect.DeepEqual(got, want) && (len(got.Rules) > 0 || len(want.Rules) > 0 || got.Applied != want.Applied) {
				for i := range want.Rules {
					if i >= len(got.Rules) || !reflect.DeepEqual(got.Rules[i], want.Rules[i]) {
						t.Errorf("got  %+v\nwant %+v", got.rule(want.Rules[i].Rule.Name), want.Rules[i])
					}
				}
				t.Fatalf("seed %d, scan %d:\n%s", seed, n, text)
			}
			for i := range want.Rules {
				for o, n := range want.Rules[i].Processes {
					results[o] += n
				}
			}
			// Explain gives the same for each process.
			for i := range h.Processes {
				p := &h.Processes[i]
				f := allFactsOf(h.Snapshot, p, everything(c))
				for j := range c.Rules {
					m := &c.Rules[j].Match
					l, _ := m.level(&f, anyTask, nil)
					if applies, why := m.About(h.Snapshot, p); (l == yes) != (applies == access.Yes) || (l == no) != (applies == access.No) || (why == "") != (l == yes) {
						t.Fatalf("seed %d: pid %d, match of %s: %s (%s), want level %d", seed, p.PID, c.Rules[j].Name, applies, why, l)
					}
				}
				for j, x := range fast.Explain(h.Snapshot, p) {
					l, _ := c.Rules[j].about(&f, c.exemption(&f), func() (string, bool) { return cmdline(p) }, h.Time)
					if (l == yes) != (x.Applies == access.Yes) || (l == no) != (x.Applies == access.No) || (x.Why == "") != (l == yes && x.Result == Compliant) {
						t.Fatalf("seed %d: pid %d, rule %s: %s (%s), want level %d", seed, p.PID, x.Rule.Name, x.Applies, x.Why, l)
					}
				}
			}
		}
	}
	for o, n := range results {
		if n < 100 {
			t.Errorf("only %d times %s: this says little", n, Result(o))
		}
	}
	if unmatched[access.No] < 100 || unmatched[access.Unknown] < 100 {
		t.Errorf("rules about nothing: %v: this says little", unmatched)
	}
}

// The cache holds what live processes need, whatever they call themselves.
func TestCacheIsBounded(t *testing.T) {
	e := New(load(t, `rules: [{name: a, match: {comm: ["x*"], unit: ["**"]}}]`), Options{})
	for round := range 40 {
		h := newHost()
		w := h.unit("a.service")
		for i := range 500 {
			copy(h.process(w, "/a", -1).Comm[:], fmt.Sprintf("x%d", 500*round+i))
		}
		e.Evaluate(h.Snapshot)
		if n := len(e.cache.byFact); n > 2*500+slack {
			t.Fatalf("%d entries after %d rounds", n, round+1)
		}
		if n := len(e.cache.lists); n > 3 {
			t.Fatalf("%d lists of rules, want one shared by all", n)
		}
	}
}
