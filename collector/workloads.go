// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/slots"
	"github.com/landlockd/landlockd/scan"
)

// Other is the value of label workload for all workloads without a series of their
// own. One that has this name has none either.
const Other = "other"

// Slots remembers from scrape to scrape which workloads have series of their own. The
// zero value is for a first scrape. It is safe for concurrent use.
type Slots struct{ slots slots.Slots }

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

const (
	ifNamed  = "if the scan succeeded and workloads were named"
	ifSeries = "unless `--no-collector.workloads` is given"
)

// workloads are those of one snapshot.
type workloads struct {
	snap *scan.Snapshot
	scan.ByState
	ineffective int
	// shown have series of their own, beside folded ones; nil if none may be named.
	shown  []scan.WorkloadProcesses
	folded int
	hide   bool
}

var workloadMetrics = newTable(func(s *Scrape) *workloads {
	if s.Snapshot == nil || s.Workloads == nil ||
		len(s.Snapshot.Workloads) == 0 && len(s.Snapshot.Processes) > 0 {
		return nil
	}
	return s.Workloads.of(s.Snapshot)
}, []metric[workloads]{
	{
		name: "landlock_workloads",
		help: "Workloads (systemd units, containers, else executables; each name once) by state, " +
			"which follows from their processes': partial if one of them is partial or some are " +
			"sandboxed and some not, else unknown if one is.",
		labels:  []Label{{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"}},
		present: "all states, " + ifNamed,
		values:  func(w *workloads, emit emitter) { emitStates(emit, w.ByState) },
	},
	{
		name: "landlock_workload_coverage_ratio",
		help: "Sandboxed workloads divided by sandboxed, partial and unsandboxed ones. Do not " +
			"average over hosts: divide sums of landlock_workloads.",
		present: "if the state of some workload is known",
		values: func(w *workloads, emit emitter) {
			if ratio, ok := w.Coverage(); ok {
				emit(ratio)
			}
		},
	},
	{
		name: "landlock_workloads_ineffective",
		help: "Sandboxed workloads all of whose processes are ineffective, as in " +
			"landlock_processes_ineffective. Those of which it is unknown are not counted.",
		present: ifNamed + ", as landlock_processes_ineffective",
		values:  func(w *workloads, emit emitter) { emitIf(emit, showsMeaning(w.snap), w.ineffective) },
	},
	{
		name: "landlock_workload_processes",
		help: "Processes of a workload by state, for as many workloads as --workload.limit says. " +
			"The processes of all others are added up as workload other.",
		labels: []Label{
			{"workload", "its name, folded: see [workloads.md](workloads.md)"},
			{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"},
		},
		present: ifSeries + "; `sandboxed` and `unsandboxed` always, the others above 0",
		values:  (*workloads).processes,
	},
	{
		name: "landlock_workload_asset_processes",
		help: "Sandboxed processes of a workload that Landlock does not keep from an asset: those " +
			"of landlock_asset_processes with reach within_reach.",
		labels: []Label{
			{"workload", "as of landlock_workload_processes"},
			{"asset", "the asset's name"},
		},
		present: ifSeries + ", only above 0, and at most 100 of the host: what is left is added " +
			"up as workload other",
		values: (*workloads).assets,
	},
	{
		name: "landlockd_workloads_folded",
		help: "Workloads without a series of their own, in landlock_workload_processes with " +
			"workload other.",
		present: ifNamed + ", " + ifSeries,
		values:  func(w *workloads, emit emitter) { emitIf(emit, !w.hide, w.folded) },
	},
	{
		name: "landlockd_workload_unresolved_processes",
		help: "Processes whose cgroup's path was not found, so that they are in workloads named " +
			"after their executables. Those in a cgroup that has just come or gone are among them.",
		present: ifNamed,
		values:  (*workloads).unresolved,
	},
})

// of counts the workloads of a snapshot, and chooses those that have series.
func (o *WorkloadOptions) of(s *scan.Snapshot) *workloads {
	all := s.ByWorkload()
	w := &workloads{snap: s, hide: o.Hide}
	w.ByState, w.ineffective = scan.CountWorkloads(all)
	if o.Hide {
		return w
	}
	own := o.choose(s.Time, all)
	// What is left over, by subtraction: the series add up to all processes.
	rest := scan.WorkloadProcesses{Name: Other, Processes: s.Count().Processes}
	for i := range all {
		if !own[i] {
			w.folded++
			continue
		}
		w.shown = append(w.shown, all[i])
		for state, n := range all[i].Processes {
			rest.Processes[state] -= n
		}
	}
	if rest.Processes.Total() > 0 {
		byName := func(w scan.WorkloadProcesses, name string) int { return strings.Compare(w.Name, name) }
		at, _ := slices.BinarySearchFunc(w.shown, Other, byName)
		w.shown = slices.Insert(w.shown, at, rest)
	}
	return w
}

// processes emits in the order in which series are served: those need not be sorted then.
func (w *workloads) processes(emit emitter) {
	for _, state := range [...]scan.State{
		scan.Partial, scan.Sandboxed, scan.Unknown, scan.Unsandboxed,
	} {
		for i := range w.shown {
			n := w.shown[i].Processes.Of(state)
			if n > 0 || state == scan.Sandboxed || state == scan.Unsandboxed {
				emit(float64(n), w.shown[i].Name, state.String())
			}
		}
	}
}

// unresolved counts the processes whose cgroup was not found.
func (w *workloads) unresolved(emit emitter) {
	emit(float64(scan.CountOnce(w.snap, unresolvedKey, countUnresolved)))
}

func countUnresolved(s *scan.Snapshot) (n int) {
	for i := range s.Processes {
		if of := s.WorkloadOf(&s.Processes[i]); of == nil || of.Cgroup == "" {
			n++
		}
	}
	return n
}

// Named reports whether the workload of a name may have series of its own.
func (o *WorkloadOptions) Named(name string) bool {
	return (o.Include == nil || o.Include.MatchString(name)) &&
		(o.Exclude == nil || !o.Exclude.MatchString(name))
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
		if label == Other || seen[label] || !o.Named(w.Name) {
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
	for _, c := range cmp.Or(o.Slots, &Slots{}).slots.Assign(now, max(o.Limit, 0), claims) {
		own[c.Index] = false
	}
	return own
}

// AnchoredRegexp compiles an RE2 expression that has to match the whole of a name.
func AnchoredRegexp(expression string) (*regexp.Regexp, error) {
	// Compiled by itself first: "a)(b" must not get its parentheses from here.
	if _, err := regexp.Compile(expression); err != nil {
		return nil, err
	}
	return regexp.Compile("^(?:" + expression + ")$")
}
