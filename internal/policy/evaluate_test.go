// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// The result of one process, in the order of reasons.
func TestJudge(t *testing.T) {
	h := newHost()
	h.Kernel.Rights.May[access.FS] |= 1 << 30 // it is not known whether this kernel has fs.bit30
	write := access.Rights{access.FS: 1 << 1}
	outer := h.domain(-1, allFS)
	inner := h.domain(outer, access.Rights{access.Net: 3, access.Scope: 3})
	writes := h.domain(-1, write)
	unread := h.domain(-1, access.Rights{})
	deeper := h.domain(unread, allFS)
	inferred := h.domain(-1, write)
	h.Domains[inferred].Lineage = domainid.LineageInferred
	for _, c := range []struct {
		domains []int32
		expect  string
		want    string
	}{
		{[]int32{-1}, "min_depth=0", "violating unsandboxed"},
		{[]int32{-1, -1}, "state=sandboxed,partial", "violating unsandboxed"},
		{[]int32{outer}, "min_depth=1", "compliant "},
		{[]int32{outer, -1}, "min_depth=1", "violating partial"},
		{[]int32{outer, -1}, "state=sandboxed,partial,min_depth=1,restricts=fs.write_file", "compliant "},
		{[]int32{-2}, "min_depth=0", "unknown "},
		{[]int32{outer, -2}, "min_depth=0", "unknown "},
		{[]int32{outer, -1, -2}, "min_depth=0", "violating partial"},
		{[]int32{outer, -1, -2}, "state=sandboxed,partial,restricts=fs.execute", "unknown "},
		{[]int32{outer}, "min_depth=2", "violating too_shallow"},
		{[]int32{inner}, "min_depth=2", "compliant "},
		{[]int32{inner, outer}, "min_depth=2", "violating too_shallow"},
		{[]int32{outer}, "min_depth=2,restricts=net.bind_tcp", "violating too_shallow"},
		{[]int32{outer}, "restricts=net.bind_tcp", "violating right_not_restricted"},
		{[]int32{inner}, "restricts=fs.*,net.*,scope.*", "compliant "},
		{[]int32{inner, outer}, "restricts=fs.*", "compliant "},
		{[]int32{inner, outer}, "restricts=net.*", "violating right_not_restricted"},
		// The deepest task must not be too deep.
		{[]int32{outer}, "max_depth=1", "compliant "},
		{[]int32{inner}, "max_depth=1", "violating too_deep"},
		{[]int32{inner, outer}, "max_depth=1", "violating too_deep"},
		{[]int32{inner, outer}, "min_depth=2,max_depth=2", "violating too_shallow"},
		{[]int32{inner}, "max_depth=1,restricts=fs.bit30", "violating too_deep"},
		{[]int32{inner, outer}, "max_depth=2", "compliant "},
		{[]int32{inner, -1}, "max_depth=1,state=sandboxed,partial", "violating too_deep"},
		{[]int32{inner, -1}, "max_depth=2,state=sandboxed,partial", "compliant "},
		{[]int32{outer, -1, -2}, "max_depth=1,state=sandboxed,partial", "unknown "},
		{[]int32{inner, -1, -2}, "max_depth=1,state=sandboxed,partial", "violating too_deep"},
		{[]int32{inferred}, "max_depth=1", "unknown "},
		{[]int32{inferred, inner}, "max_depth=1", "violating too_deep"},
		{[]int32{inferred, inner}, "max_depth=2", "unknown "},
		// In no domain at all.
		{[]int32{-1, -1}, "state=unsandboxed", "compliant "},
		{[]int32{outer}, "state=unsandboxed", "violating sandboxed"},
		{[]int32{outer, -1}, "state=unsandboxed", "violating sandboxed"},
		{[]int32{-1, -2}, "state=unsandboxed", "unknown "},
		// Two tasks in different domains restrict what both do.
		{[]int32{writes, outer}, "restricts=fs.write_file", "compliant "},
		{[]int32{writes, outer}, "restricts=fs.execute", "violating right_not_restricted"},
		// Every layer with a right to files denies this one.
		{[]int32{writes}, "restricts=fs.refer", "compliant "},
		// What is not known is no violation.
		{[]int32{inferred}, "min_depth=1", "compliant "},
		{[]int32{inferred}, "min_depth=2", "unknown "},
		{[]int32{inferred}, "restricts=fs.write_file", "compliant "},
		{[]int32{inferred}, "restricts=fs.execute", "unknown "},
		{[]int32{unread}, "restricts=fs.execute", "unknown "},
		{[]int32{deeper}, "restricts=fs.execute", "compliant "},
		{[]int32{deeper}, "restricts=net.bind_tcp", "unknown "},
		{[]int32{deeper, outer}, "restricts=net.bind_tcp", "violating right_not_restricted"},
		// UDP came with ABI 10.
		{[]int32{inner}, "restricts=net.bind_udp", "compliant "},
		{[]int32{inner}, "restricts=net.bind_udp,on_old_kernel=violation", "violating right_not_restricted"},
		{[]int32{inner}, "restricts=net.*,on_old_kernel=violation", "compliant "},
		{[]int32{inner}, "restricts=net.*_udp,on_old_kernel=violation", "violating right_not_restricted"},
		{[]int32{inner}, "restricts=fs.bit30", "violating right_not_restricted"},
		{[]int32{inner}, "restricts=fs.bit31", "compliant "},
		{[]int32{inner}, "restricts=fs.bit31,on_old_kernel=violation", "violating right_not_restricted"},
	} {
		x, err := ParseExpect(c.expect)
		if err != nil {
			t.Fatal(err)
		}
		p := h.process(-1, "", c.domains...)
		result, reason, words := x.Judge(h.Snapshot, p)
		if got := result.String() + " " + reason.String(); got != c.want {
			t.Errorf("%v, %s: %s, want %s", c.domains, c.expect, got, c.want)
		}
		if (words == "") != (result == Compliant) {
			t.Errorf("%v, %s: %s in words: %q", c.domains, c.expect, result, words)
		}
	}
	// A domain that is not known, and no task at all.
	task := &h.Tasks[h.process(-1, "", outer).FirstTask]
	task.Domain, task.Depth, task.DepthExact = -1, 3, false
	unnamed := h.Processes[len(h.Processes)-1]
	none := scan.Process{State: scan.Sandboxed, Depth: 1}
	for expect, want := range map[string][2]Result{
		"min_depth=1": {Compliant, Unknown}, "min_depth=4": {Unknown, Unknown},
		"max_depth=2": {Violating, Unknown}, "max_depth=3": {Unknown, Unknown},
		"state=unsandboxed": {Violating, Violating}, "restricts=fs.execute": {Unknown, Unknown},
	} {
		x, err := ParseExpect(expect)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range []*scan.Process{&unnamed, &none} {
			got, _, words := x.Judge(h.Snapshot, p)
			if got != want[i] || (words == "") != (got == Compliant) {
				t.Errorf("%s: %s (%s), want %s", expect, got, words, want[i])
			}
		}
	}
	h.Kernel = scan.Kernel{Landlock: scan.Disabled}
	if result, reason, words := (&Expect{}).Judge(h.Snapshot, &none); result != Violating || reason != LandlockDisabled || !strings.Contains(words, "boot") {
		t.Errorf("%s %s %q", result, reason, words)
	}
	for _, state := range scan.States() {
		p := scan.Process{State: state}
		result, _, words := (&Expect{Free: true}).Judge(h.Snapshot, &p)
		if result != Compliant || words != "" {
			t.Errorf("%s where nothing can be sandboxed: %s %q", state, result, words)
		}
	}
}

func TestResult(t *testing.T) {
	const rules = `
rules:
- {name: web, match: {unit: ["web@*.service"]}, expect: {min_depth: 1}, severity: critical}
- {name: never, match: {unit: [absent.service]}}
- {name: must, match: {unit: [absent.service]}, min_processes: 2}
- {name: all-root, match: {uid: [0]}, except: [{unit: [web@b.service]}], grace: 0}
`
	h := newHost()
	a, b := h.unit("web@a.service"), h.unit("web@b.service")
	h.Workloads[a].Name, h.Workloads[b].Name = "web@.service", "web@.service"
	d := h.domain(-1, allFS)
	h.process(a, "/web", d)
	h.process(a, "/web", -1)
	h.process(b, "/web", -1)
	h.process(b, "/web", -1, d)
	h.process(b, "/web", -1).Start = 995 * second // 5 s old
	h.process(b, "/web", -2)
	h.process(h.unit("other.service"), "/other", -1).UID = 1
	e := New(load(t, rules), Options{})
	r := e.Evaluate(h.Snapshot)
	if r.Loaded != 4 || r.Applied != 2 || len(r.Rules) != 3 || r.rule("never") != nil {
		t.Errorf("%d loaded, %d applied, %d speak", r.Loaded, r.Applied, len(r.Rules))
	}
	want := []string{
		`web true [1 3 1 1 0] true false [{unsandboxed web@.service 2 [11 12]} {partial web@.service 1 [13]}]`,
		`must false [0 0 0 0 0] true false [{too_few  2 []}]`,
		`all-root true [1 1 0 0 0] true false [{unsandboxed web@.service 1 [11]}]`,
	}
	for i, w := range want {
		x := r.Rules[i]
		if got := fmt.Sprint(x.Rule.Name, x.Applied, x.Processes, x.Violated, x.CountUnknown, x.Violations); strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(w), "") {
			t.Errorf("got  %s\nwant %s", got, w)
		}
	}
	if !r.Violated() || !r.Open() {
		t.Error("violated and undecided")
	}
	// A rule that applied once counts as applied until the rules are loaded again.
	empty := newHost()
	r = e.Evaluate(empty.Snapshot)
	if r.Applied != 2 || r.rule("web") == nil || r.rule("web").Processes != [NumResults]int{} || r.rule("web").Violated || len(r.rule("web").Violations) > 0 {
		t.Errorf("%+v", r.rule("web"))
	}
	if r := New(load(t, rules), Options{}).Evaluate(empty.Snapshot); r.Applied != 0 || len(r.Rules) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestLandlockDisabled(t *testing.T) {
	h := newHost()
	h.Kernel = scan.Kernel{Landlock: scan.NotBuilt}
	h.process(h.unit("a.service"), "/a", -1)
	h.process(0, "/a", -1).Start = 999 * second
	all := evaluate(t, "rules: [{name: a, match: {unit: [a.service]}}, "+
		"{name: free, match: {unit: [a.service]}, expect: {state: [unsandboxed]}}]", h)
	r := all.rule("a")
	if r.Processes != [NumResults]int{0, 1, 1, 0} || len(r.Violations) != 1 || r.Violations[0].Reason != LandlockDisabled {
		t.Errorf("%+v", r)
	}
	if r := all.rule("free"); r.Processes != [NumResults]int{2, 0, 0, 0} || r.Violated {
		t.Errorf("%+v", r)
	}
}

func TestGrace(t *testing.T) {
	for age, want := range map[time.Duration]Result{
		-time.Second: Starting, 0: Starting, 29 * time.Second: Starting, 30 * time.Second: Violating, time.Hour: Violating,
	} {
		h := newHost()
		h.Uptime = 5000 * time.Second
		h.process(h.unit("a.service"), "/a", -1).Start = uint64(h.Uptime - age)
		r := evaluate(t, "rules: [{name: a, match: {unit: [a.service]}, grace: 30s}, {name: b, match: {exe: [/a]}, grace: 1h}]", h)
		if r.rule("a").Processes[want] != 1 || r.rule("a").Violated != (want == Violating) {
			t.Errorf("age %s: %+v, want %s", age, r.rule("a"), want)
		}
		if got := r.rule("b").Processes[Starting] == 1; got != (age < time.Hour) {
			t.Errorf("age %s: %+v", age, r.rule("b"))
		}
	}
	// Without the time since boot, it is when the youngest process was made.
	h := newHost()
	h.Uptime = 0
	h.process(h.unit("a.service"), "/a", -1).Start = 100 * second
	h.process(-1, "/b", -1).Start = 105 * second
	if r := evaluate(t, "rules: [{name: a, match: {unit: [a.service]}}]", h).rule("a"); r.Processes[Starting] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestMinProcesses(t *testing.T) {
	const rules = "rules: [{name: a, match: {unit: [a.service]}, min_processes: 2}]"
	h := newHost()
	h.process(h.unit("a.service"), "/a", -2)
	r := evaluate(t, rules, h).rule("a")
	if !r.Violated || r.Processes != [NumResults]int{0, 0, 0, 1} || len(r.Violations) != 1 || r.Violations[0].Reason != TooFew || r.Violations[0].Processes != 1 {
		t.Errorf("%+v", r)
	}
	// A process that may be the one that is missing.
	h.process(-1, "/a", -1)
	if r := evaluate(t, rules, h).rule("a"); r.Violated || !r.CountUnknown || r.Processes != [NumResults]int{0, 0, 0, 2} {
		t.Errorf("%+v", r)
	}
	// It may be where the source does not look.
	h = newHost()
	h.Source.PIDNS = "nested"
	if r := evaluate(t, rules, h).rule("a"); r.Violated || !r.CountUnknown {
		t.Errorf("%+v", r)
	}
	// The host has just been started.
	h = newHost()
	h.Uptime = 5 * time.Second
	if r := evaluate(t, rules, h).rule("a"); r.Violated || r.CountUnknown {
		t.Errorf("%+v", r)
	}
}

func TestMain(t *testing.T) {
	h := newHost()
	a := h.unit("a.service")
	h.process(h.unit("b.service"), "/b", -1)
	h.process(a, "/a", -1).PPID = 10  // 11, of another workload
	h.process(a, "/a", -1).PPID = 11  // 12
	h.process(a, "/a", -1).PPID = 0   // 13, outside
	h.process(a, "/a", -1).PPID = 2   // 14, the kernel's
	h.process(a, "/a", -1).PPID = 1   // 15, of the first process, which is not shown
	h.process(a, "/a", -1).PPID = 900 // 16, not known
	h.process(a, "/a", -1).PPID = 17  // 17, younger than 16
	h.Processes[7].PPID = 12
	p := h.process(a, "/a", -1) // 18, of a parent that is younger
	p.PPID, p.Start = 11, 400*second
	sub := h.workload(scan.Workload{Kind: scan.Unit, Unit: "a.service", Cgroup: "/system.slice/a.service/x", Delegated: true})
	h.process(sub, "/a", -1).PPID = 11 // 19, below the unit's own cgroup
	e := New(load(t, "rules: [{name: m, match: {main: true}, grace: 0}, {name: c, match: {main: false}, grace: 0}, {name: x, match: {unit: [a.service]}, except: [{main: true}]}]"), Options{})
	want := map[int32]string{11: "yes no no", 12: "no yes yes", 13: "yes no no", 14: "yes no no", 15: "yes no no",
		16: "unknown unknown unknown", 17: "no yes yes", 18: "unknown unknown unknown", 19: "no yes yes"}
	for pid, w := range want {
		var got []string
		for _, x := range e.Explain(h.Snapshot, h.Find(pid)) {
			got = append(got, x.Applies.String())
		}
		if strings.Join(got, " ") != w {
			t.Errorf("pid %d: %v, want %s", pid, got, w)
		}
	}
	r := e.Evaluate(h.Snapshot)
	if got, want := r.rule("x").Processes, [NumResults]int{0, 3, 0, 2}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestCmdline(t *testing.T) {
	const rules = `
rules:
- {name: a, match: {unit: [a.service], cmdline: ["**--serve*"]}, min_processes: 1}
- {name: b, match: {unit: [a.service]}, except: [{cmdline: ["re:.*debug.*"]}]}
`
	h := newHost()
	a := h.unit("a.service")
	h.process(a, "/a", -1)
	h.process(a, "/a", -1)
	h.process(a, "/a", -1)
	h.process(h.unit("b.service"), "/a", -1)
	asked := map[int32]int{}
	e := New(load(t, rules), Options{Cmdline: func(p *scan.Process) (string, bool) {
		pid := p.PID
		if p.Start != 500*second {
			t.Errorf("start %d", p.Start)
		}
		asked[pid]++
		return map[int32]string{10: "/usr/bin/a --serve=1", 11: "a --debug"}[pid], pid < 12
	}})
	r := e.Evaluate(h.Snapshot)
	if got, want := r.rule("a").Processes, [NumResults]int{0, 1, 0, 0}; got != want {
		t.Errorf("a: %v, want %v", got, want)
	}
	if u := r.Undecided; len(u) != 1 || u[0].Doubt != DoubtCmdline || u[0].Processes != 1 || !slices.Equal(u[0].PIDs, []int32{12}) {
		t.Errorf("%+v", u)
	}
	if got, want := r.rule("b").Processes, [NumResults]int{0, 1, 0, 1}; got != want {
		t.Errorf("b: %v, want %v", got, want)
	}
	if len(asked) != 3 || asked[10] != 1 || asked[11] != 1 || asked[12] != 1 {
		t.Errorf("asked %v: want each once, and only those that it decides about", asked)
	}
	if got := New(load(t, rules), Options{}).Evaluate(h.Snapshot).rule("a"); got.Violated || !got.CountUnknown {
		t.Errorf("without a reader: %+v", got)
	}
}

func TestExempt(t *testing.T) {
	h := newHost()
	h.process(h.unit("a.service"), "/a", -1)
	h.process(-1, "/a", -1)
	h.process(h.unit("b.service"), "/a", -1)
	r := evaluate(t, "exempt: [{unit: [a.service]}]\nrules: [{name: a, match: {uid: [0]}}]", h)
	// Of the second it is not known whether it is in that unit.
	if got, want := r.rule("a").Processes, [NumResults]int{0, 1, 0, 1}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// Violations are bounded, and the same whatever order processes have.
func TestManyViolations(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("rules:\n")
	for i := range 12 {
		fmt.Fprintf(&rules, "- {name: r%d, match: {uid: [0]}}\n", i)
	}
	h := newHost()
	for i := range 1500 {
		h.process(h.unit(fmt.Sprintf("u%04d.service", i)), "/a", -1)
	}
	r := evaluate(t, rules.String(), h)
	for i := range r.Rules {
		// The first 10 have 15 000 of 16 384.
		want := 1500
		if i >= 10 {
			want = 0
		}
		if len(r.Rules[i].Violations) != want || !r.Rules[i].Violated || r.Rules[i].Processes[Violating] != 1500 {
			t.Errorf("rule %d lists %d, want %d", i, len(r.Rules[i].Violations), want)
		}
	}
	if v := r.Rules[1].Violations[7]; v.Workload != "u0007.service" || len(v.PIDs) != 1 || v.PIDs[0] != 17 {
		t.Errorf("%+v", v)
	}
}
