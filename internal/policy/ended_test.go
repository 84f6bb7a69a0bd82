// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// allOf is what ended of which all is alike.
func allOf(s *scan.Snapshot, launch, below bool) Ended {
	return Ended{s, func(int) bool { return launch }, func(int) bool { return below }}
}

// found is what the rules find of what ended, by the place and the name of the rule.
func found(e *Evaluator, s *scan.Snapshot, launch bool) map[string]Verdict {
	all := map[string]Verdict{}
	e.Ended(allOf(s, launch, false), func(place int, v Verdict) {
		all[fmt.Sprint(place, " ", v.Rule.Name)] = v
	})
	return all
}

// Every result of a run and of a launch, by its age and by what the rule asks for.
func TestEnded(t *testing.T) {
	const rules = `
rules:
- {name: plain, match: {unit: [a.service]}, expect: {effective: false, min_depth: 2}, grace: 10s}
- {name: strict, match: {unit: [a.service]}, expect: {effective: false}, grace: 10s, short_runs: violation}
- {name: at-once, match: {unit: [a.service]}, expect: {effective: false}, grace: 0}
- {name: free, match: {unit: [a.service]}, expect: {state: [unsandboxed]}, grace: 10s}
- {name: net, match: {unit: [a.service]}, expect: {effective: false, restricts: [net.connect_tcp]}}
- {name: signals, match: {unit: [a.service]}, expect: {restricts: [scope.signal], outside_workers: allow}}
- {name: shallow, match: {unit: [a.service]}, expect: {effective: false, max_depth: 1}}
- {name: asked, match: {unit: [a.service], cmdline: ["*"]}}
- {name: but-children, match: {unit: [a.service]}, except: [{ancestor_exe: [/bin/sh]}]}
- {name: but-asked, match: {unit: [a.service]}, except: [{cmdline: [x]}]}
- {name: other, match: {unit: [b.service]}}
`
	files := access.Rights{access.FS: 1}
	for _, c := range []struct {
		name    string
		state   scan.State
		depth   uint16
		handled access.Rights
		age     time.Duration
		launch  bool
		want    string
	}{
		{"young, unsandboxed", scan.Unsandboxed, 0, access.Rights{}, 0, false,
			"plain short unsandboxed, strict violating unsandboxed, at-once violating unsandboxed, free compliant, " +
				"net short unsandboxed, signals short unsandboxed, shallow short unsandboxed, but-children unknown, but-asked unknown"},
		{"old, unsandboxed", scan.Unsandboxed, 0, access.Rights{}, 10 * time.Second, false,
			"plain violating unsandboxed, strict violating unsandboxed, at-once violating unsandboxed, free compliant, " +
				"net violating unsandboxed, signals violating unsandboxed, shallow violating unsandboxed, but-children unknown, but-asked unknown"},
		{"old, partial", scan.Partial, 0, files, 10 * time.Second, false,
			"plain violating partial, strict violating partial, at-once violating partial, free violating sandboxed, " +
				"net violating partial, signals violating partial, shallow violating partial, but-children unknown, but-asked unknown"},
		{"young, of files", scan.Sandboxed, 1, files, time.Second, false,
			"plain short too_shallow, strict compliant, at-once compliant, free short sandboxed, " +
				"net short right_not_restricted, signals short right_not_restricted, shallow unknown, but-children unknown, but-asked unknown"},
		{"old, deep", scan.Sandboxed, 2, files, time.Hour, false,
			"plain compliant, strict compliant, at-once compliant, free violating sandboxed, " +
				"net violating right_not_restricted, signals violating right_not_restricted, shallow violating too_deep, but-children unknown, but-asked unknown"},
		{"old, of signals", scan.Sandboxed, 1, access.Rights{access.Net: 3, access.Scope: 3}, time.Hour, false,
			"plain violating too_shallow, strict compliant, at-once compliant, free violating sandboxed, " +
				"net unknown, signals compliant, shallow unknown, but-children unknown, but-asked unknown"},
		{"old, of what is not known", scan.Sandboxed, 0, access.Rights{}, time.Hour, false,
			"plain unknown, strict compliant, at-once compliant, free violating sandboxed, " +
				"net unknown, signals unknown, shallow unknown, but-children unknown, but-asked unknown"},
		{"unknown", scan.Unknown, 0, access.Rights{}, 0, false,
			"plain unknown, strict unknown, at-once unknown, free unknown, net unknown, signals unknown, shallow unknown, but-children unknown, but-asked unknown"},
		{"young launch", scan.Unsandboxed, 0, access.Rights{}, 9 * time.Second, true, "at-once violating unsandboxed"},
		{"old launch", scan.Unsandboxed, 0, access.Rights{}, 10 * time.Second, true,
			"plain violating unsandboxed, strict violating unsandboxed, at-once violating unsandboxed, free compliant, " +
				"net violating unsandboxed, signals violating unsandboxed, shallow violating unsandboxed, but-children unknown, but-asked unknown"},
	} {
		h := newHost()
		h.Source.Rules = "read"
		p := h.process(h.unit("a.service"), "/bin/a")
		p.State, p.Depth, p.PPID = c.state, c.depth, -1
		p.Start = uint64(h.Uptime - c.age)
		h.ConcludeEnded(func(int) access.Rights { return c.handled })
		conf := load(t, rules)
		var got []string
		New(conf, Options{}).Ended(allOf(h.Snapshot, c.launch, false), func(_ int, v Verdict) {
			got = append(got, strings.TrimSpace(v.Rule.Name+" "+v.Result.OfRun()+" "+v.Reason.String()))
		})
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, text, c.want)
		}
	}
	// Without Landlock it is known what a kernel restricts.
	h := newHost()
	h.Kernel.Landlock = scan.Disabled
	h.process(h.unit("a.service"), "/bin/a")
	h.ConcludeEnded(func(int) access.Rights { return access.Rights{} })
	all := found(New(load(t, rules), Options{}), h.Snapshot, false)
	if v := all["0 plain"]; v.Result != Violating || v.Reason != LandlockDisabled || all["0 free"].Result != Compliant {
		t.Errorf("without Landlock: %+v", all)
	}
}

// ended returns what is known of a host's processes if all of them end now: not who their
// ancestors are, and of users that differ, of lineages that are known in part and of what
// handles unknown rights, nothing.
func ended(live *scan.Snapshot) *scan.Snapshot {
	s := &scan.Snapshot{Time: live.Time, Uptime: live.Uptime, Kernel: live.Kernel, Source: live.Source, Workloads: live.Workloads}
	var handled []access.Rights
	for i := range live.Processes {
		p := live.Processes[i]
		sandbox, _ := live.SandboxOf(&p)
		p.PPID, p.FirstTask, p.NumTasks, p.FirstWorker, p.NumWorkers = -1, 0, 0, 0, 0
		if p.UIDsDiffer {
			p.UIDsDiffer, p.UID = false, scan.NoUser
		}
		if p.Depth = 0; p.State == scan.Sandboxed && sandbox.MostDepth == sandbox.Depth {
			p.Depth = sandbox.Depth
		}
		known := access.Rights{}
		if sandbox.Handles.Unknown().Empty() {
			known = sandbox.Handles.Sure
		}
		handled = append(handled, known)
		s.Processes = append(s.Processes, p)
	}
	s.ConcludeEnded(func(place int) access.Rights { return handled[place] })
	return s
}

// restsOnMore reports whether a rule asks for what is not known of what ended.
func restsOnMore(c *Config, r *Rule, p *scan.Process, s *scan.Snapshot) bool {
	for _, m := range slices.Concat([]Match{r.Match}, r.Except, c.Exempt) {
		if m.has(KeyCmdline) || m.has(KeyAncestorExe) || m.has(KeyMain) || m.has(KeyUID) && p.UIDsDiffer || m.has(KeyComm) && p.Comm == (scan.Comm{}) {
			return true
		}
	}
	x, read := &r.Expect, s.Source.Rules == "read"
	sandbox, inside := s.SandboxOf(p)
	deep := x.MinDepth > 1 && (p.State != scan.Sandboxed || sandbox.MostDepth != sandbox.Depth)
	vague := sandbox.Handles.Sure.Empty() || !sandbox.Handles.Unknown().Empty()
	return inside && !x.Free && (deep || x.MaxDepth > 0 || !x.Ineffective && (read || vague) || len(x.Restricts) > 0)
}

// What a process that ends was is found as it is of one that lives, wherever that does not rest
// on what is not known of what ended; and what is known then is never anything else.
func TestEndedAsLive(t *testing.T) {
	var results [NumResults]int
	for seed := range uint64(220) {
		rnd := rand.New(rand.NewPCG(seed, 17))
		text := someRules(rnd)
		c := load(t, text)
		live, dead := New(c, Options{}), New(c, Options{})
		for range 3 {
			h := someHost(rnd)
			got := found(dead, ended(h.Snapshot), false)
			for i := range h.Processes {
				p := &h.Processes[i]
				for _, x := range live.Explain(h.Snapshot, p) {
					v, about := got[fmt.Sprint(i, " ", x.Rule.Name)]
					where := fmt.Sprintf("seed %d, process %d, %s: %v %s %s, live %s %s %s\n%s",
						seed, p.PID, x.Rule.Name, about, v.Result, v.Reason, x.Applies, x.Result, x.Reason, text)
					if about && v.Result != Unknown && (x.Applies != access.Yes || x.Result != v.Result) {
						t.Fatal(where)
					}
					results[v.Result]++
					if !restsOnMore(c, x.Rule, p, h.Snapshot) &&
						(x.Applies == access.Yes && (!about || x.Result != v.Result) || x.Applies == access.No && about) {
						t.Fatal("not as live: ", where)
					}
				}
			}
		}
	}
	if slices.Min(results[:]) < 100 {
		t.Errorf("hardly any of some result: %v", results)
	}
}

func TestGraces(t *testing.T) {
	c := load(t, `rules: [{name: a, match: {comm: [a]}, grace: 1m}, {name: b, match: {uid: [1]}, grace: 0}, `+
		`{name: c, match: {uid: [1]}}, {name: d, match: {uid: [1]}, grace: 10s}]`)
	if got := c.Graces(); !slices.Equal(got, []time.Duration{10 * time.Second, time.Minute}) || !c.UsesComm() {
		t.Errorf("%v, comm %t", got, c.UsesComm())
	}
	if c := load(t, `rules: [{name: b, match: {exe: [/a]}, except: [{uid: [1]}]}]`); c.UsesComm() {
		t.Error("comm is not looked at")
	}
}

// Of more graces than are distinguished the longest stays, and that is said.
func TestManyGraces(t *testing.T) {
	for _, n := range []int{30, 31, 32, 61, 62, 63, 1000} {
		var b strings.Builder
		b.WriteString("rules:\n")
		for i := range n {
			fmt.Fprintf(&b, "- {name: r%d, match: {uid: [1]}, grace: %ds}\n", i, i+1)
		}
		c := load(t, b.String())
		got := c.Graces()
		if len(got) != min(n, MaxGraces) || got[len(got)-1] != time.Duration(n)*time.Second || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("of %d: %v", n, got)
		}
		if warned := len(c.Warnings) == 1 && strings.Contains(c.Warnings[0].String(), fmt.Sprintf("the rules have %d graces", n)); warned != (n > MaxGraces) {
			t.Errorf("of %d: %v", n, c.Warnings)
		}
	}
}

// Of what may also have been below its cgroup, the cgroup is known only where that is the same.
func TestEndedBelow(t *testing.T) {
	const rules = `
rules:
- {name: here, match: {cgroup: [/system.slice/a.service]}}
- {name: below, match: {cgroup: [/system.slice/a.service/x]}}
- {name: both, match: {cgroup: [/system.slice/a.service, /system.slice/a.service/*]}}
- {name: all, match: {cgroup: ["/system.slice/**"]}}
- {name: other, match: {cgroup: [/system.slice/b.service]}}
- {name: not-here, match: {unit: [a.service]}, except: [{cgroup: [/system.slice/a.service]}]}
- {name: unit, match: {unit: [a.service]}, except: [{cgroup: ["/x/**"]}]}
`
	for below, want := range map[bool]string{
		false: "here violating, both violating, all violating, unit violating",
		true:  "all violating, not-here unknown, unit violating",
	} {
		h := newHost()
		h.process(h.unit("a.service"), "/bin/a")
		h.ConcludeEnded(func(int) access.Rights { return access.Rights{} })
		var got []string
		New(load(t, rules), Options{}).Ended(allOf(h.Snapshot, false, below), func(_ int, v Verdict) {
			got = append(got, v.Rule.Name+" "+v.Result.OfRun())
		})
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("below %t: %s, want %s", below, text, want)
		}
	}
}

// Of what ended a name that is empty is not known.
func TestEndedComm(t *testing.T) {
	const rules = `
rules:
- {name: named, match: {comm: [a]}}
- {name: others, match: {unit: [a.service]}, except: [{comm: [a]}]}
`
	for comm, want := range map[string]string{"": "others unknown", "a": "named violating", "b": "others violating"} {
		h := newHost()
		copy(h.process(h.unit("a.service"), "/bin/a").Comm[:], comm)
		h.ConcludeEnded(func(int) access.Rights { return access.Rights{} })
		var got []string
		New(load(t, rules), Options{}).Ended(allOf(h.Snapshot, false, false), func(_ int, v Verdict) {
			got = append(got, v.Rule.Name+" "+v.Result.OfRun())
		})
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%q: %s, want %s", comm, text, want)
		}
	}
}
