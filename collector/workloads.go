// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/slots"
	"github.com/landlockd/landlockd/scan"
)

// Other is the value of label workload for all workloads without a series of their
// own. One that has this name has none either.
const Other = "other"

// Slots remembers from scrape to scrape which workloads have series of their own. The
// zero value is for a first scrape.
type Slots = slots.Slots

// WorkloadOptions set which workloads have series of their own.
type WorkloadOptions struct {
	// Hide leaves out all series that name a workload.
	Hide bool
	// Limit is how many workloads have series of their own; 0 means none.
	Limit int
	// Slots is what earlier scrapes chose; nil means that there was none.
	Slots *Slots
	// Include and Exclude are matched against names; nil is all and none. The
	// caller anchors them.
	Include, Exclude *regexp.Regexp
	// HasRule reports whether a rule is about the workload of a name; nil means
	// none is.
	HasRule func(name string) bool
}

// NewWorkloads returns a collector of the workloads of one snapshot:
// landlock_workloads and landlock_workload_*. It is not to be registered for a
// scan that failed. If processes have no workloads, it collects nothing.
func NewWorkloads(s *scan.Snapshot, o WorkloadOptions) prometheus.Collector {
	return workloadView{s, o}
}

type workloadView struct {
	snap *scan.Snapshot
	o    WorkloadOptions
}

func (v workloadView) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, firstWorkload, lastWorkload)
	describe(ch, firstNaming, lastNaming)
}

func (v workloadView) Collect(ch chan<- prometheus.Metric) {
	if len(v.snap.Workloads) == 0 && len(v.snap.Processes) > 0 {
		return
	}
	all := v.snap.ByWorkload()
	var byState [4]int
	ineffective := 0
	for i := range all {
		byState[all[i].State()]++
		if all[i].Ineffective == access.Yes {
			ineffective++
		}
	}
	for _, state := range scan.States() {
		emit(ch, workloads, float64(byState[state]), state.String())
	}
	if known := len(all) - byState[scan.Unknown]; known > 0 {
		emit(ch, workloadCoverage, float64(byState[scan.Sandboxed])/float64(known))
	}
	if tellsMeaning(v.snap) {
		emit(ch, workloadsIneffective, float64(ineffective))
	}
	emit(ch, workloadsUnresolved, float64(unresolved(v.snap)))
	if v.o.Hide {
		return
	}
	own := v.o.choose(v.snap.Time, all)
	// What is left over, by subtraction: the series add up to all processes.
	rest := scan.WorkloadProcesses{Name: Other}
	for i := range v.snap.Processes {
		rest.Processes[v.snap.Processes[i].State&3]++
	}
	folded := 0
	for i := range all {
		if !own[i] {
			folded++
			continue
		}
		emitWorkload(ch, &all[i])
		for state, n := range all[i].Processes {
			rest.Processes[state] -= n
		}
	}
	if rest.Processes != [4]int{} {
		emitWorkload(ch, &rest)
	}
	emit(ch, workloadsFolded, float64(folded))
}

func emitWorkload(ch chan<- prometheus.Metric, w *scan.WorkloadProcesses) {
	for _, state := range scan.States() {
		n := w.Processes[state]
		if n > 0 || state == scan.Sandboxed || state == scan.Unsandboxed {
			emit(ch, workloadProcesses, float64(n), w.Name, state.String())
		}
	}
}

// choose returns which workloads, ascending by name, have series of their own.
func (o *WorkloadOptions) choose(now time.Time, all []scan.WorkloadProcesses) []bool {
	claims := make([]slots.Claim, 0, len(all))
	own := make([]bool, len(all))
	seen := map[string]bool{}
	for i := range all {
		w := &all[i]
		// A label value that was mended could be another's.
		label := clean(w.Name)
		if label == Other || seen[label] ||
			o.Include != nil && !o.Include.MatchString(w.Name) ||
			o.Exclude != nil && o.Exclude.MatchString(w.Name) {
			continue
		}
		seen[label] = true
		own[i] = true
		claims = append(claims, slots.Claim{
			Label: label, Index: i, Naming: w.Naming,
			Ruled:     o.HasRule != nil && o.HasRule(w.Name),
			Sandboxed: w.Processes[scan.Sandboxed] > 0 || w.Processes[scan.Partial] > 0,
		})
	}
	kept := o.Slots
	if kept == nil {
		kept = &Slots{}
	}
	for _, c := range kept.Assign(now, max(o.Limit, 0), claims) {
		own[c.Index] = false
	}
	return own
}

// unresolved counts the processes whose cgroup was not found.
func unresolved(s *scan.Snapshot) (n int) {
	for i := range s.Processes {
		if w := s.WorkloadOf(&s.Processes[i]); w == nil || w.Cgroup == "" {
			n++
		}
	}
	return n
}

// AnchoredRegexp compiles an RE2 expression that has to match the whole of a name.
func AnchoredRegexp(expression string) (*regexp.Regexp, error) {
	// Compiled by itself first: "a)(b" must not get its parentheses from here.
	if _, err := regexp.Compile(expression); err != nil {
		return nil, err
	}
	return regexp.Compile("^(?:" + expression + ")$")
}
