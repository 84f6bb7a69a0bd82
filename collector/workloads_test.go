// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// units returns a snapshot with processes in workloads, by name and state.
func units(workloads map[string][4]int) *scan.Snapshot {
	s := newSnapshot()
	for _, n := range slices.Sorted(maps.Keys(workloads)) {
		s.Workloads = append(s.Workloads, scan.Workload{Name: n, Cgroup: "/" + n})
		for state, processes := range workloads[n] {
			for range processes {
				add(s, scan.State(state), scan.NoReason, 0, 0)
				s.Processes[len(s.Processes)-1].Workload = int32(len(s.Workloads) - 1)
			}
		}
	}
	return s
}

// series are the values of a metric, by workload and state or by state alone.
func series(t *testing.T, s *scan.Snapshot, o WorkloadOptions, metric string) map[[2]string]float64 {
	t.Helper()
	families, err := gather(Scrape{Snapshot: s, Workloads: &o}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[[2]string]float64{}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels [2]string
			for _, l := range m.GetLabel() {
				labels[map[string]int{"workload": 0, "state": 1}[l.GetName()]] = l.GetValue()
			}
			values[labels] = m.GetGauge().GetValue()
		}
	}
	return values
}

// exported are the names with series of their own.
func exported(t *testing.T, s *scan.Snapshot, o WorkloadOptions) []string {
	t.Helper()
	names := map[string]bool{}
	for labels := range series(t, s, o, "landlock_workload_processes") {
		names[labels[0]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func processesOf(unsandboxed, sandboxed int) (n [4]int) {
	n[scan.Unsandboxed], n[scan.Sandboxed] = unsandboxed, sandboxed
	return n
}

func TestChoice(t *testing.T) {
	s := units(map[string][4]int{"a": processesOf(900, 0), "b": processesOf(1, 0), "c": processesOf(5, 1), "d": processesOf(1, 0), "e": processesOf(0, 9), "other": processesOf(3, 3)})
	re := func(text string) WorkloadOptions {
		r, err := AnchoredRegexp(text)
		if err != nil {
			t.Fatal(err)
		}
		return WorkloadOptions{Limit: 100, Include: r}
	}
	not := func(text string) WorkloadOptions {
		o := re(text)
		o.Include, o.Exclude = nil, o.Include
		return o
	}
	ruled := func(names ...string) func(string) bool {
		return func(n string) bool { return slices.Contains(names, n) }
	}
	for i, c := range []struct {
		o    WorkloadOptions
		want []string
	}{
		{WorkloadOptions{Limit: 100}, []string{"a", "b", "c", "d", "e", "other"}},
		{WorkloadOptions{Limit: 3}, []string{"a", "c", "e", "other"}},
		{WorkloadOptions{Limit: 3, HasRule: ruled("d", "b")}, []string{"b", "c", "d", "other"}},
		{WorkloadOptions{Limit: 1, HasRule: ruled("d", "b")}, []string{"b", "other"}},
		{WorkloadOptions{Limit: 0}, []string{"other"}},
		{WorkloadOptions{Limit: 100, Hide: true}, nil},
		{re("a|b"), []string{"a", "b", "other"}},
		{re("[a-d]"), []string{"a", "b", "c", "d", "other"}},
		{re(""), []string{"other"}},
		{not("a|othe"), []string{"b", "c", "d", "e", "other"}},
		{not(".*"), []string{"other"}},
	} {
		if got := exported(t, s, c.o); !slices.Equal(got, c.want) {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
	if _, err := AnchoredRegexp("a)(b"); err == nil {
		t.Error("parentheses that fit only those around are accepted")
	}
	two := WorkloadOptions{Limit: 2}
	if n := series(t, s, two, "landlockd_workloads_folded")[[2]string{}]; n != 4 {
		t.Errorf("%v folded, want 4", n)
	}
	if got := series(t, s, two, "landlock_workload_processes")[[2]string{"other", "unsandboxed"}]; got != 905 {
		t.Errorf("other has %v", got)
	}
	if got := series(t, s, WorkloadOptions{Hide: true}, "landlock_workloads"); got[[2]string{"", "partial"}] != 2 || got[[2]string{"", "unsandboxed"}] != 3 || got[[2]string{"", "sandboxed"}] != 1 {
		t.Errorf("states of workloads: %v", got)
	}
	bare := newSnapshot()
	add(bare, scan.Sandboxed, scan.NoReason, 1, 1)
	if got := series(t, bare, two, "landlock_workloads"); len(got) != 0 {
		t.Errorf("workloads were not named, but there are %v", got)
	}
}

// Slots are given whose word names are and what rules are about, and remember it.
func TestChoiceIsRemembered(t *testing.T) {
	host := func(names ...string) *scan.Snapshot {
		m := map[string][4]int{}
		for _, n := range names {
			m[n] = processesOf(1, 0)
		}
		s := units(m)
		for i := range s.Workloads {
			if strings.HasSuffix(s.Workloads[i].Name, ".service") {
				s.Workloads[i].Kind = scan.Unit
			}
		}
		return s
	}
	o := WorkloadOptions{
		Limit: 2, Slots: &Slots{},
		HasRule: func(name string) bool { return name == "ruled" },
	}
	for _, c := range []struct{ now, want string }{
		{"b c", "b c"},
		{"a b c", "b c other"},
		{"a b c u.service", "b other u.service"},
		{"a b c ruled u.service", "other ruled u.service"},
	} {
		got := exported(t, host(strings.Fields(c.now)...), o)
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %s", c.now, got, c.want)
		}
	}
}

// Whatever runs, no process is lost, and no more series come than are allowed.
func TestWorkloadsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 200 {
		m := map[string][4]int{}
		for range r.IntN(40) {
			m[fmt.Sprintf("w%d", r.IntN(60))] = [4]int{r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)}
		}
		s := units(m)
		if r.IntN(2) == 0 {
			add(s, scan.Unknown, scan.Changing, 0, 0)
			s.Processes[len(s.Processes)-1].Workload = scan.NoWorkload
		}
		o := WorkloadOptions{Limit: r.IntN(30)}
		var want, got [4]int
		for i := range s.Processes {
			want[s.Processes[i].State]++
		}
		if len(s.Workloads) == 0 {
			want = [4]int{} // nothing was named
		}
		names := map[string]bool{}
		for labels, n := range series(t, s, o, "landlock_workload_processes") {
			for _, state := range scan.States() {
				if state.String() == labels[1] {
					got[state] += int(n)
				}
			}
			names[labels[0]] = true
		}
		if got != want || len(names) > o.Limit+1 {
			t.Fatalf("%v processes in %d workloads, want %v in at most %d", got, len(names), want, o.Limit+1)
		}
		total := 0.0
		for _, n := range series(t, s, o, "landlock_workloads") {
			total += n
		}
		if int(total) != len(s.ByWorkload()) {
			t.Fatalf("%v workloads, want %d", total, len(s.ByWorkload()))
		}
	}
}

// A workload's number of processes must not matter: the choice would flap.
func TestChoiceIgnoresSize(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	small, large := map[string][4]int{}, map[string][4]int{}
	for i := range 150 {
		n := processesOf(1, i%3)
		name := fmt.Sprintf("w%d", i)
		small[name] = n
		large[name] = processesOf(1+r.IntN(50), n[scan.Sandboxed]*(1+r.IntN(9)))
	}
	o := WorkloadOptions{Limit: 100}
	if a, b := exported(t, units(small), o), exported(t, units(large), o); !slices.Equal(a, b) {
		t.Errorf("%q\n%q", a, b)
	}
}

// The sum over a fleet of a workload's series is that of the processes, for every
// workload that some host exports: without folding, because each host has at most
// as many as the limit; and under a lower limit for those with a rule, and those of
// --workload.include, as long as they are within it.
func TestFleet(t *testing.T) {
	const ofUnits, each = 160, 100
	hosts := 2000
	if testing.Short() {
		hosts /= 10
	}
	unit := func(i int) string { return fmt.Sprintf("unit%03d.service", i) }
	include, err := AnchoredRegexp(`unit0[0-3].\.service`) // 40 units
	if err != nil {
		t.Fatal(err)
	}
	ruled := func(name string) bool { return name >= "unit120" } // 40 units
	for _, c := range []struct {
		name  string
		o     WorkloadOptions
		exact func(name string) bool
	}{
		{"default limit", WorkloadOptions{Limit: each}, func(string) bool { return true }},
		{"rules", WorkloadOptions{Limit: 50, HasRule: ruled}, ruled},
		{"include", WorkloadOptions{Limit: 50, Include: include}, include.MatchString},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(2000, 160))
			type key struct {
				name  string
				state scan.State
			}
			truth, sums, seen := map[key]int{}, map[key]int{}, map[string]bool{}
			for range hosts {
				s := newSnapshot()
				for i, n := range r.Perm(ofUnits)[:each] {
					s.Workloads = append(s.Workloads, scan.Workload{Name: unit(n)})
					for range 1 + r.IntN(3) {
						state := scan.States()[r.IntN(4)]
						s.Processes = append(s.Processes, scan.Process{State: state, Workload: int32(i)})
						truth[key{unit(n), state}]++
					}
				}
				all := s.ByWorkload()
				own := c.o.choose(time.Time{}, all)
				for i := range all {
					for state, n := range all[i].Processes {
						if own[i] {
							sums[key{all[i].Name, scan.State(state)}] += n
							seen[all[i].Name] = true
						}
					}
				}
			}
			exact := 0
			for n := range ofUnits {
				if !seen[unit(n)] || !c.exact(unit(n)) {
					continue
				}
				exact++
				for _, state := range scan.States() {
					if k := (key{unit(n), state}); sums[k] != truth[k] {
						t.Errorf("%s %v: sum %d, want %d", unit(n), state, sums[k], truth[k])
					}
				}
			}
			if exact < 40 {
				t.Errorf("only %d units were compared", exact)
			}
		})
	}
}
