// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// manyRules are n rules of every kind, most of them about units.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("exempt: [{unit: [init.scope]}]\nrules:\n")
	for i := range n {
		var match string
		switch i % 10 {
		case 0:
			match = fmt.Sprintf(`{exe: [/usr/sbin/daemon%d]}`, i)
		case 1:
			match = fmt.Sprintf(`{unit: ["app%d@*.service"]}`, i)
		case 2:
			match = fmt.Sprintf(`{unit: ["re:app%d-[0-9]+\\.service"]}`, i)
		case 3:
			match = fmt.Sprintf(`{namespace: [team%d], container: ["web-*"]}`, i)
		case 4:
			match = fmt.Sprintf(`{exe: ["/opt/app%d/**"], uid: [1000-1999]}`, i)
		default:
			match = fmt.Sprintf(`{unit: [unit%d.service]}`, i)
		}
		fmt.Fprintf(&b, "  - name: rule-%d\n    match: %s\n    except: [{main: true}]\n"+
			"    expect:\n      state: [sandboxed]\n      min_depth: 1\n      restricts: [fs.write_file, \"net.*\"]\n    severity: critical\n", i, match)
	}
	return b.String()
}

// manyProcesses are n processes in as many units as given, three of four sandboxed.
func manyProcesses(n, units int) host {
	h := newHost()
	d := h.domain(-1, allFS)
	for range 50 {
		h.domain(d, allFS.Union(allFS))
	}
	ws := make([]int32, units)
	for i := range ws {
		ws[i] = h.unit(fmt.Sprintf("unit%d.service", i))
	}
	for i := range n {
		dom := int32(i % 50)
		if i%4 == 0 {
			dom = -1
		}
		p := h.process(ws[i%units], fmt.Sprintf("/usr/sbin/daemon%d", i%units), dom, dom, dom)
		p.PPID = 10 + int32(i%(i/2+1))
	}
	h.Conclude() // as sources do
	return h
}

func BenchmarkLoad(b *testing.B) {
	main := write(b, map[string]string{"main.yml": manyRules(5000)})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(main); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	c, h := load(b, manyRules(5000)), manyProcesses(10_000, 2000)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			New(c, Options{}).Evaluate(h.Snapshot)
		}
	})
	b.Run("steady", func(b *testing.B) {
		e := New(c, Options{})
		b.ReportAllocs()
		for b.Loop() {
			e.Evaluate(h.Snapshot)
		}
		b.ReportMetric(float64(len(e.cache.byFact)), "tuples")
	})
	// Every rule is about every process.
	b.Run("broad", func(b *testing.B) {
		var text strings.Builder
		text.WriteString("rules:\n")
		for i := range 5000 {
			fmt.Fprintf(&text, "- {name: r%d, match: {unit: [\"**\"]}, expect: {restricts: [fs.*]}}\n", i)
		}
		e := New(load(b, text.String()), Options{})
		e.Evaluate(h.Snapshot)
		b.ReportAllocs()
		for b.Loop() {
			e.Evaluate(h.Snapshot)
		}
	})
}

// In the steady state, allocations do not depend on the number of processes.
func TestEvaluateAllocatesNothingPerProcess(t *testing.T) {
	c := load(t, manyRules(200))
	allocs := func(n int) float64 {
		h := manyProcesses(n, 100)
		for i := range h.Processes {
			h.Processes[i].PPID = 0 // what except is about: no violation to list
		}
		e := New(c, Options{})
		return testing.AllocsPerRun(10, func() { e.Evaluate(h.Snapshot) })
	}
	few, many := allocs(100), allocs(10_000)
	if few != many || few > 10 {
		t.Errorf("%v allocations for 100 processes, %v for 10 000", few, many)
	}
}

// Young processes of which all rules think the same are judged once, as old ones are: those that
// are between the same two graces.
func TestYoungProcessesAreJudgedTogether(t *testing.T) {
	c := load(t, "rules: [{name: a, match: {exe: [\"/**\"]}, grace: 10s}, {name: b, match: {exe: [\"/**\"]}, grace: 1m}]")
	groups := func(n int, ages ...time.Duration) int {
		h := manyProcesses(n, 1)
		for i := range h.Processes {
			h.Processes[i].Start = uint64(h.Uptime - ages[i*len(ages)/n])
		}
		e := New(c, Options{})
		e.begin(h.Snapshot)
		e.group(&Evaluation{ruled: make([]bool, len(h.Workloads))})
		return len(e.groups)
	}
	alike := groups(1000, time.Hour)
	for _, ages := range [][]time.Duration{
		{0, 9 * time.Second}, {10 * time.Second, time.Minute - 1}, {time.Minute, time.Hour},
	} {
		if n := groups(1000, ages...); n != alike {
			t.Errorf("ages %v: %d groups, want %d", ages, n, alike)
		}
	}
	apart := []time.Duration{0, 10*time.Second - 1, 10 * time.Second, time.Minute - 1, time.Minute}
	if n := groups(1000, apart...); n != 3*alike {
		t.Errorf("ages %v: %d groups, want %d", apart, n, 3*alike)
	}
}
