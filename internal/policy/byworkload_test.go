// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// TestByWorkload: the results of a workload are those that Explain gives of its processes, and
// of those that a rule is likely about, which are unknown.
func TestByWorkload(t *testing.T) {
	var results [NumResults]int
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		c := load(t, someRules(rnd))
		cmdline := func(p *scan.Process) (string, bool) { return string('a' + p.PID%3), p.PID%4 != 0 }
		e := New(c, Options{Cmdline: cmdline, ByWorkload: true})
		for range 3 {
			h := someHost(rnd)
			got := map[string]map[string][NumResults]int{}
			for name, rules := range e.Evaluate(h.Snapshot).ByWorkload {
				got[name] = map[string][NumResults]int{}
				for i, r := range rules {
					if i > 0 && rules[i-1].Rule.Name >= r.Rule.Name {
						t.Fatalf("seed %d: %s stands behind %s", seed, r.Rule.Name, rules[i-1].Rule.Name)
					}
					got[name][r.Rule.Name] = r.Processes
				}
			}
			want := map[string]map[string][NumResults]int{}
			for i := range h.Processes {
				p := &h.Processes[i]
				w := h.WorkloadOf(p)
				if w == nil {
					continue
				}
				f := allFactsOf(h.Snapshot, p, everything(c))
				for j, x := range e.Explain(h.Snapshot, p) {
					l, _ := c.Rules[j].about(&f, c.exemption(&f), func() (string, bool) { return cmdline(p) }, h.Time)
					if x.Applies != access.Yes && l != likely {
						continue
					}
					if want[w.Name] == nil {
						want[w.Name] = map[string][NumResults]int{}
					}
					n := want[w.Name][x.Rule.Name]
					n[x.Result]++
					results[x.Result]++
					want[w.Name][x.Rule.Name] = n
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d:\ngot  %v\nwant %v", seed, got, want)
			}
		}
	}
	for o, n := range results {
		if n < 20 {
			t.Errorf("only %d times %s: this says little", n, Result(o))
		}
	}
}

func TestWorstResult(t *testing.T) {
	for want, n := range map[Result][NumResults]int{
		Violating: {1, 1, 1, 1}, Unknown: {Compliant: 1, Starting: 1, Unknown: 1},
		Starting: {Compliant: 1, Starting: 1}, Compliant: {Compliant: 1},
	} {
		if got := (&RuleResult{Processes: n}).Result(); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}
