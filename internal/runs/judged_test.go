// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

const (
	one = "rules: [{name: one, match: {unit: [a.service]}, expect: {effective: false}, severity: critical}]\n"
	two = "rules: [{name: one, match: {unit: [a.service]}, expect: {effective: false}, severity: info}, " +
		"{name: two, match: {unit: [a.service]}, expect: {state: [unsandboxed]}, grace: 1m}]\n"
)

// hostOf is a snapshot with process 9 of a.service.
func hostOf(state scan.State) *scan.Snapshot {
	p := scan.Process{PID: 9, Start: 90, State: state, NumTasks: 1}
	if state == scan.Sandboxed {
		p.Depth, p.MaxDepth = 1, 1
	}
	return &scan.Snapshot{
		Uptime: time.Hour, Kernel: kernel, Processes: []scan.Process{p},
		Tasks:     []scan.Task{{TID: 9, Domain: -1, State: state}},
		Workloads: []scan.Workload{{Name: "a.service", FullName: "a.service", Kind: scan.Unit, Cgroup: "/system.slice/a.service", Unit: "a.service", Slice: "system.slice"}},
	}
}

func (b *bench) wantRules(when string, want ...collector.RuleRuns) {
	b.t.Helper()
	if got := b.Stats().Rules; !slices.Equal(got, want) {
		b.t.Errorf("%s: %+v, want %+v", when, got, want)
	}
}

func TestRuleRuns(t *testing.T) {
	b := newBench(t, one, nil)
	if !slices.Equal(b.feed.ages, []time.Duration{10 * time.Second}) || b.feed.comm || b.feed.asked != 1 {
		t.Errorf("asked for %v, comm %t, %d times", b.feed.ages, b.feed.comm, b.feed.asked)
	}
	b.wantRules("before anything ended")
	b.end(cell("b.service", scan.Unsandboxed, time.Hour, 5))
	b.wantRules("of another unit")
	bad := cell("a.service", scan.Unsandboxed, 10*time.Second, 4)
	bad.Last = Last{PID: 3, Start: 100e9, End: 900e9}
	copy(bad.Last.Comm[:], "x\x1b")
	b.end(cell("a.service", scan.Sandboxed, 0, 2), cell("a.service", scan.Unsandboxed, 0, 3), bad,
		cell("a.service", scan.Unknown, time.Hour, 5), launch(cell("a.service", scan.Unsandboxed, 0, 6)))
	b.wantRules("of each result", collector.RuleRuns{Name: "one", Compliant: 2, Violating: 4, Short: 3, Unknown: 5})
	broken := []collector.Broken{{Rule: "one", Severity: "critical", Workload: "a.service", Ended: time.Unix(1e9-100, 0)}}
	if got := b.Stats().Broken; !reflect.DeepEqual(got, broken) {
		t.Errorf("%+v, want %+v", got, broken)
	}
	if got := b.logged(1); strings.Count(got, "\n") != 1 || !strings.Contains(got,
		`msg="Rule broken by a process that ended" rule=one severity=critical reason=unsandboxed pid=3 exe=/bin/a uid=7 workload=a.service processes=4`) {
		t.Errorf("log: %s", got)
	}
	want := Ended{
		Time: time.Unix(1e9-100, 0), Count: 4, PID: 3, Start: 100e9, Age: 800 * time.Second, Comm: "x\x1b", Exe: "/bin/a",
		ExeOrigin: scan.OfHost, UID: 7, Workload: "a.service", State: scan.Unsandboxed,
		Rules: []EndedRule{{"one", "critical", "violating", "unsandboxed"}},
	}
	recent := b.Recent()
	if i := slices.IndexFunc(recent, func(e Ended) bool { return e.Count == 4 }); i < 0 || !reflect.DeepEqual(recent[i], want) {
		t.Errorf("%+v, want one to be %+v", recent, want)
	}
	var counts []uint64
	for _, e := range recent {
		counts = append(counts, e.Count)
	}
	slices.Sort(counts)
	if !slices.Equal(counts, []uint64{3, 4, 5}) { // not what was sandboxed, unknown, or a launch
		t.Errorf("remembered: %+v", recent)
	}

	// Rules that keep their name keep what they found.
	b.reload(two)
	b.end(cell("a.service", scan.Unsandboxed, time.Minute, 1), launch(cell("a.service", scan.Unsandboxed, 10*time.Second, 6)))
	b.wantRules("with another rule", collector.RuleRuns{Name: "one", Compliant: 2, Violating: 11, Short: 3, Unknown: 5},
		collector.RuleRuns{Name: "two", Compliant: 1})
	if got := b.Stats().Broken; len(got) != 1 || got[0].Severity != "info" || !got[0].Ended.Equal(time.Unix(1e9, 0)) {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(b.feed.ages, []time.Duration{10 * time.Second, time.Minute}) || b.feed.asked != 2 {
		t.Errorf("asked for %v, %d times", b.feed.ages, b.feed.asked)
	}
	// One that ended earlier is counted later.
	early := cell("a.service", scan.Sandboxed, time.Minute, 1)
	early.Depth, early.Last = 3, Last{PID: 4, End: 800e9}
	b.end(early)
	early.Last.End = 700e9
	b.end(early)
	if got := b.Stats().Broken; len(got) != 2 || !got[1].Ended.Equal(time.Unix(1e9-200, 0)) {
		t.Errorf("%+v", got)
	}
	if e := b.Recent()[len(b.Recent())-1]; e.PID != 4 || e.Depth != 3 || !e.Time.Equal(time.Unix(1e9-300, 0)) || !reflect.DeepEqual(e.Rules,
		[]EndedRule{{"two", "warning", "violating", "sandboxed"}, {"one", "info", "compliant", ""}}) {
		t.Errorf("%+v", e)
	}
	b.reload("rules: [{name: two, match: {comm: [a]}}]\n")
	b.Update(nil)
	b.wantRules("without the first", collector.RuleRuns{Name: "two", Compliant: 1, Violating: 2})
	if got := b.Stats().Broken; len(got) != 1 || !b.feed.comm {
		t.Errorf("%+v, comm %t", got, b.feed.comm)
	}
	b.reload(one)
	b.Update(nil)
	b.wantRules("as at the beginning")
}

// What a scan found violating is so however it ends, and once.
func TestMarked(t *testing.T) {
	marked := func(c Cell) Cell {
		c.PID, c.Start = 9, 90
		return c
	}
	const aged = time.Minute
	for name, c := range map[string]struct {
		cells []Cell
		want  collector.RuleRuns
	}{
		"sandboxed since":      {[]Cell{marked(cell("a.service", scan.Sandboxed, aged, 1))}, collector.RuleRuns{Violating: 1}},
		"moved since":          {[]Cell{marked(cell("b.service", scan.Sandboxed, aged, 1))}, collector.RuleRuns{Violating: 1}},
		"nothing is known":     {[]Cell{marked(Cell{Count: 1, Key: Key{Folded: true}})}, collector.RuleRuns{Violating: 1}},
		"as it was":            {[]Cell{marked(cell("a.service", scan.Unsandboxed, aged, 1))}, collector.RuleRuns{Violating: 1}},
		"another of that PID":  {[]Cell{{Count: 1, Key: Key{PID: 9, Start: 91, State: scan.Sandboxed, Cgroup: "/system.slice/a.service", CgroupID: 1}}}, collector.RuleRuns{Compliant: 1}},
		"executed, and exited": {[]Cell{marked(cell("a.service", scan.Sandboxed, aged, 1)), marked(launch(cell("a.service", scan.Unsandboxed, aged, 1)))}, collector.RuleRuns{Compliant: 1, Violating: 1}},
	} {
		b := newBench(t, one, nil)
		b.Update(hostOf(scan.Unsandboxed))
		if want := []Process{{9, 90}}; !slices.Equal(b.feed.marked, want) || b.feed.marks != 1 {
			t.Errorf("%s: marked %v, %d times", name, b.feed.marked, b.feed.marks)
		}
		b.Update(hostOf(scan.Unsandboxed))
		b.Update(hostOf(scan.Sandboxed)) // it is compliant now
		if b.feed.marks != 1 {
			t.Errorf("%s: marked %d times", name, b.feed.marks)
		}
		b.end(c.cells...)
		c.want.Name = "one"
		b.wantRules(name, c.want)
		another := hostOf(scan.Sandboxed)
		another.Processes[0].Start++
		if b.Update(another); len(b.feed.marked) != 0 {
			t.Errorf("%s: marked %v, and is gone", name, b.feed.marked)
		}
	}
	// A result that comes late changes nothing.
	b := newBench(t, one, nil)
	b.Update(hostOf(scan.Unsandboxed))
	late := hostOf(scan.Sandboxed)
	late.Uptime, late.Processes, late.Tasks = late.Uptime-1, nil, nil
	if b.Update(late); len(b.feed.marked) != 1 {
		t.Error("no longer marked")
	}
	// The rule is not in force any more.
	b = newBench(t, one, nil)
	b.Update(hostOf(scan.Unsandboxed))
	b.reload("rules: [{name: two, match: {unit: [a.service]}, expect: {effective: false}}]\n")
	b.end(marked(cell("a.service", scan.Sandboxed, aged, 1)))
	b.wantRules("by another rule", collector.RuleRuns{Name: "two", Compliant: 1})
}

// No more are marked than the feed takes, whoever violates since when.
func TestMarksAreBounded(t *testing.T) {
	b := newBench(t, one, nil)
	snap := hostOf(scan.Unsandboxed)
	for pid := range int32(MaxMarked + 4) {
		p := snap.Processes[0]
		p.PID += 1 + pid
		snap.Processes, snap.Tasks = append(snap.Processes, p), append(snap.Tasks, snap.Tasks[0])
	}
	b.Update(snap)
	all := *snap
	all.Processes = slices.Clone(snap.Processes)
	for i := range 100 {
		all.Processes[i].State = scan.Sandboxed
	}
	b.Update(&all) // others are listed now
	if len(b.feed.marked) != MaxMarked || b.feed.marked[0].PID != 9 {
		t.Errorf("%d are marked", len(b.feed.marked))
	}
}

// The last violations of each rule stay, however many workloads another one is broken in.
func TestBrokenIsBounded(t *testing.T) {
	b := newBench(t, "rules: [{name: all, match: {slice: [system.slice]}}, {name: one, match: {unit: [a.service]}}]\n", nil)
	at := func(c Cell, second uint64) Cell {
		c.Last = Last{End: second * 1e9}
		return c
	}
	b.end(at(cell("a.service", scan.Unsandboxed, time.Hour, 1), 1))
	var many []Cell
	for i := range 300 {
		many = append(many, at(cell(fmt.Sprintf("b%c%c.service", 'a'+i%26, 'a'+i/26), scan.Unsandboxed, time.Hour, 1), uint64(2+i)))
	}
	b.end(many...)
	got := b.Stats().Broken
	if len(got) != collector.MaxBroken || got[len(got)-1].Rule != "one" || !got[0].Ended.Equal(time.Unix(1e9-1000+301, 0)) ||
		!got[len(got)-2].Ended.Equal(time.Unix(1e9-1000+301-18, 0)) {
		t.Errorf("%+v", got)
	}
	if lines := strings.Count(b.logged(20), "\n"); lines != 20 {
		t.Errorf("%d lines of log", lines)
	}
	recent := b.Recent()
	if len(recent) != maxEach || !slices.IsSortedFunc(recent, func(a, b Ended) int { return b.Time.Compare(a.Time) }) || recent[0].Workload != got[0].Workload {
		t.Errorf("%d are remembered", len(recent))
	}
	// What broke no rule pushes none of these out.
	many = many[:0]
	for range 300 {
		many = append(many, cell("x.scope", scan.Unsandboxed, 0, 1))
	}
	b.end(many...)
	if after, now, lost := b.After(301); len(after) != maxEach || now != 601 || lost != 300-maxEach {
		t.Errorf("%d of %d, %d forgotten", len(after), now, lost)
	}
	if got := b.Recent(); len(got) != MaxRecent || got[0].Rules[0].Result != "short" || !reflect.DeepEqual(got[maxEach:], recent) {
		t.Errorf("%d are remembered, %+v", len(got), got[0])
	}
}

// What is known of the place: who the parent is, what is folded, what only a scan knows.
func TestPlaces(t *testing.T) {
	const rules = `
rules:
- {name: main, match: {unit: [a.service], main: true}, expect: {effective: false}}
- {name: child, match: {unit: [a.service], main: false}, expect: {effective: false}}
- {name: unit, match: {unit: [a.service]}, expect: {effective: false}}
- {name: shop, match: {container: [web]}, expect: {effective: false}}
- {name: exe, match: {exe: [/bin/a]}, expect: {effective: false}}
- {name: user, match: {uid: [7]}, expect: {effective: false}}
- {name: no-unit, match: {slice: [system.slice]}, except: [{unit: ["*"]}], expect: {effective: false}}
- {name: v1, match: {cgroup: [/x1]}, expect: {effective: false}}
- {name: v1-main, match: {cgroup: [/x, /x1], main: true}, expect: {effective: false}}
`
	const pod = "/kubepods.slice/kubepods-pod00000000_0000_0000_0000_000000000001.slice/cri-containerd-" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"
	const user = "/user.slice/user-1000.slice/user@1000.service"
	with := func(change func(*Cell)) Cell {
		c := cell("a.service", scan.Unsandboxed, time.Hour, 1)
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		cell     Cell
		want     string
		workload string
	}{
		"of init":           {with(func(c *Cell) { c.ParentCgroup = "/init.scope" }), "main unit exe user", "a.service"},
		"its own":           {with(func(c *Cell) { c.ParentCgroup = c.Cgroup + "/sub" }), "child unit exe user", "a.service"},
		"unknown":           {with(func(*Cell) {}), "unit exe user", "a.service"},
		"of a program":      {with(func(c *Cell) { c.Cgroup, c.ParentCgroup = "/x", "/x" }), "exe user", "a"},
		"folded":            {with(func(c *Cell) { c.Folded, c.ParentCgroup = true, "" }), "unit", "a.service"},
		"folded to a slice": {with(func(c *Cell) { c.Folded, c.Cgroup = true, "/system.slice" }), "", "exe:unreadable"},
		"by v1":             {with(func(c *Cell) { c.CgroupV1, c.CgroupV1ID, c.ParentCgroup = "/x1", 6, "/init.scope" }), "exe user v1", "a"},
		"a container":       {with(func(c *Cell) { c.Cgroup = pod }), "shop exe user", "shop/web"},
		"a user's unit":     {with(func(c *Cell) { c.Cgroup = user + "/app.slice/a.service" }), "exe user", "user@/a.service"},
		"a user's slice":    {with(func(c *Cell) { c.Cgroup = user + "/system.slice/a.service" }), "exe user", "user@/a.service"},
		"a user's folded":   {with(func(c *Cell) { c.Folded, c.Cgroup = true, user }), "", "user@.service"},
		"a container's":     {with(func(c *Cell) { c.Cgroup = "/lxc.payload.web/system.slice/a.service" }), "exe user", "container:a"},
		"of another image":  {with(func(c *Cell) { c.ExeOrigin = scan.OfUser }), "unit user", "a.service"},
	} {
		b := newBench(t, rules, nil)
		snap := hostOf(scan.Unknown)
		snap.Workloads = append(snap.Workloads, scan.Workload{
			Name: "shop/web", FullName: "shop/web", Kind: scan.InContainer, Cgroup: pod,
			Container: &scan.Container{ID: "1", Namespace: "shop", Name: "web", Pod: "web-1"},
		})
		b.Update(snap)
		b.Update(hostOf(scan.Unknown)) // the container is gone
		before := map[string]bool{}
		for _, r := range b.Stats().Rules {
			before[r.Name] = true
		}
		b.end(c.cell)
		var got []string
		for _, r := range b.Stats().Rules {
			if r.Violating != 1 || r.Compliant+r.Short+r.Unknown != 0 {
				t.Errorf("%s: %+v", name, r)
			}
			got = append(got, r.Name)
		}
		if text := strings.Join(got, " "); text != c.want || len(before) > 0 {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
		if e := b.Recent()[0]; e.Workload != c.workload || (e.UID == scan.NoUser) != c.cell.Folded {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A process of any host that ends is found as it is while it lives, by all that is known of both.
func TestEndsAsItLives(t *testing.T) {
	const rules = `
defaults: {grace: 0}
rules:
- {name: a, match: {unit: [a.service]}, expect: {effective: false}}
- {name: partial, match: {unit: [a.service, b.service]}, expect: {effective: false, state: [sandboxed, partial]}}
- {name: free, match: {slice: [system.slice]}, except: [{exe: [/bin/a]}], expect: {state: [unsandboxed]}}
- {name: exe, match: {exe: [/bin/a, /bin/b]}, expect: {effective: false}}
`
	var sum collector.RuleRuns
	for seed := range uint64(200) {
		snap := hosts.Random(seed)
		b := newBench(t, rules, nil)
		var cells []Cell
		snap.Workloads = nil
		for i := range snap.Processes {
			p := &snap.Processes[i]
			p.CgroupID, p.Exe, p.ExeOrigin = 5, []string{"/bin/a", "/bin/b"}[i%2], scan.Origin(i%4)
			c := Cell{Count: 1, Key: Key{
				State: p.State, Depth: p.Depth, Cgroup: []string{"/system.slice/a.service", "/system.slice/b.service", "/x"}[i%3], CgroupID: 5,
				Exe: p.Exe, ExeOrigin: p.ExeOrigin, UID: p.UID, Handled: access.Rights{access.FS: 1},
			}}
			w := b.o.Resolver.Of(p, c.Cgroup, "")
			p.Workload = int32(i)
			snap.Workloads = append(snap.Workloads, w)
			cells = append(cells, c)
		}
		live := b.o.Rules.Evaluate(snap)
		b.lastUptime = snap.Uptime + 1 // nothing of it is known but the kernel
		b.kernel, b.rulesRead = snap.Kernel, snap.Source.Rules
		b.end(cells...)
		got := b.Stats().Rules
		for i, r := range live.Rules {
			n := r.Processes
			want := collector.RuleRuns{Name: r.Rule.Name, Compliant: uint64(n[0]), Violating: uint64(n[1]), Short: uint64(n[2]), Unknown: uint64(n[3])}
			if i >= len(got) || got[i] != want {
				t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
			}
			sum.Compliant += want.Compliant
			sum.Violating += want.Violating
			sum.Unknown += want.Unknown
		}
	}
	if min(sum.Compliant, sum.Violating, sum.Unknown) < 1000 {
		t.Errorf("hardly any of some result: %+v", sum)
	}
}
