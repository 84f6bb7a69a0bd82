// SPDX-License-Identifier: Apache-2.0

package agree

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// says is what one process is said to be.
type says struct {
	state, free          access.Answer // sandboxed, unsandboxed
	tooDeep              access.Answer // a task is deeper than mostDepth
	ineffective, outside access.Answer
	restricts            map[string]access.Answer // by right
}

// mostDepth is how deep a task may be, where rules are asked.
const mostDepth = 2

// TestAgree: what metrics count, what rules say of single expectations and what
// explain says is the same of every process of 100 random hosts.
func TestAgree(t *testing.T) {
	processes, answers, deep := 0, map[access.Answer]int{}, map[access.Answer]int{}
	for seed := range uint64(100) {
		s := hosts.Random(seed)
		counted := map[string]float64{}
		for i := range s.Processes {
			p := &s.Processes[i]
			processes++
			byRules, byExplain := fromRules(t, s, p), fromExplain(s, p)
			if s.Kernel.Landlock != scan.Enabled {
				continue // every rule says so, and nothing else
			}
			where := fmt.Sprintf("seed %d, process %d, %v", seed, p.PID, p.State)
			if byRules.state != byExplain.state {
				t.Fatalf("%s: sandboxed: rules say %v, explain %v", where, byRules.state, byExplain.state)
			}
			if byRules.free != byExplain.free {
				t.Fatalf("%s: free: rules say %v, explain %v", where, byRules.free, byExplain.free)
			}
			if p.State == scan.Sandboxed || p.State == scan.Partial {
				deep[byRules.tooDeep]++
				if byRules.tooDeep != byExplain.tooDeep ||
					(byRules.tooDeep == access.Yes) != (p.MaxDepth > mostDepth) {
					t.Fatalf("%s: too deep: rules say %v, explain %v, the scan %d",
						where, byRules.tooDeep, byExplain.tooDeep, p.MaxDepth)
				}
			}
			if p.State != scan.Sandboxed {
				continue
			}
			count(counted, "landlock_processes_ineffective", byExplain.ineffective)
			count(counted, "landlock_processes_outside_worker", byExplain.outside)
			if s.Source.Rules != "read" {
				// What is handled stands in to rules, and being in a domain for effective;
				// explain says where something may be done, which is not known.
				for name, answer := range byRules.restricts {
					count(counted, "landlock_processes_restricted "+name, answer)
				}
				continue
			}
			if byRules.ineffective != byExplain.ineffective {
				t.Fatalf("%s: ineffective: rules say %v, explain %v", where, byRules.ineffective, byExplain.ineffective)
			}
			for name, answer := range byRules.restricts {
				answers[answer]++
				if explained, there := byExplain.restricts[name]; !there || explained != answer {
					t.Fatalf("%s: %s is restricted: rules say %v, explain %v (there: %v)", where, name, answer, explained, there)
				}
				count(counted, "landlock_processes_restricted "+name, answer)
			}
		}
		for name, value := range metrics(t, s) {
			if value != counted[name] {
				t.Fatalf("seed %d: %s is %v, counted %v", seed, name, value, counted[name])
			}
		}
	}
	t.Logf("%d processes; of their rights %v, too deep %v", processes, answers, deep)
	if deep[access.Yes] < 100 || deep[access.No] < 50 || deep[access.Unknown] < 50 {
		t.Error("the depths are too alike to say anything")
	}
	if processes < 500 || answers[access.Yes] < 500 || answers[access.No] < 500 || answers[access.Unknown] < 100 {
		t.Error("the hosts are too alike to say anything")
	}
}

func count(all map[string]float64, name string, a access.Answer) {
	if a == access.Yes {
		all[name]++
	}
}

// fromRules asks one expectation after the other.
func fromRules(t *testing.T, s *scan.Snapshot, p *scan.Process) says {
	t.Helper()
	ask := func(expect string) (policy.Result, policy.Reason) {
		x, err := policy.ParseExpect(expect)
		if err != nil {
			t.Fatal(err)
		}
		result, reason, _ := x.Judge(s, p)
		return result, reason
	}
	meets := func(expect string) access.Answer {
		result, _ := ask(expect)
		return result.Met()
	}
	r := says{state: meets("state=sandboxed,effective=false"), restricts: map[string]access.Answer{}}
	r.free = meets("state=unsandboxed")
	r.tooDeep = meets("state=sandboxed,partial,effective=false,max_depth=" +
		strconv.Itoa(mostDepth)).Not()
	r.ineffective = meets("state=sandboxed").Not()
	for _, right := range access.Of(s.Kernel.Rights.May) {
		if _, known := access.Lookup(right.Name); known {
			r.restricts[right.Name] = meets("effective=false,outside_workers=allow,restricts=" + right.Name)
		}
	}
	return r
}

// fromExplain reads what explain says of each sandbox and puts it together, as the
// process may do what any of its threads may.
func fromExplain(s *scan.Snapshot, p *scan.Process) says {
	e := explain.Of(s, p)
	r := says{outside: s.OutsideWorker(p), restricts: map[string]access.Answer{}}
	switch {
	case p.State == scan.Unknown:
		r.state = access.Unknown
	case p.State == scan.Sandboxed && e.Free == 0 && e.Unknown == 0:
		r.state = access.Yes
	default:
		r.state = access.No
	}
	r.free = r.state.Not()
	if p.State == scan.Partial {
		r.free = access.No
	}
	if r.tooDeep = access.No; e.Unknown > 0 {
		r.tooDeep = access.Unknown
	}
	for i, sandbox := range e.Sandboxes {
		switch means := sandbox.Means; {
		case means.Deepest > mostDepth:
			r.tooDeep = r.tooDeep.Or(access.Yes)
		case !means.Exact:
			r.tooDeep = r.tooDeep.Or(access.Unknown)
		}
		for _, permission := range sandbox.Permissions {
			for _, right := range permission.Rights {
				answer := access.Yes
				switch permission.Effect {
				case domainid.Everywhere:
					answer = access.No
				case domainid.EffectUnknown:
					answer = access.Unknown
				}
				if before, there := r.restricts[right.Name]; i > 0 && there {
					answer = answer.And(before)
				}
				r.restricts[right.Name] = answer
			}
		}
	}
	switch line := text(e); {
	case strings.Contains(line, "(ineffective)"):
		r.ineffective = access.Yes
	case strings.Contains(line, "whether it is restricted in anything is not known"):
		r.ineffective = access.Unknown
	default:
		r.ineffective = access.No
	}
	return r
}

// text returns the line that has the state.
func text(e *explain.Explanation) string {
	var b strings.Builder
	if err := e.Text(&b, true, 0); err != nil {
		return err.Error()
	}
	_, state, _ := strings.Cut(b.String(), "\n\n")
	line, _, _ := strings.Cut(state, "\n")
	return line
}

// metrics returns those that single processes are counted in, by name and right.
func metrics(t *testing.T, s *scan.Snapshot) map[string]float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(&collector.Scrape{Snapshot: s, Rights: true})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		switch f.GetName() {
		case "landlock_processes_ineffective", "landlock_processes_outside_worker":
			values[f.GetName()] = f.Metric[0].GetGauge().GetValue()
		case "landlock_processes_restricted":
			for _, m := range f.Metric {
				values[f.GetName()+" "+right(m)] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

func right(m *dto.Metric) string { return m.Label[0].GetValue() }
