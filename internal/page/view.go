// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"strconv"
	"time"

	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// view is what the template shows.
type view struct {
	// Scanned reports whether there are facts of the host; Failed is why there are none.
	Scanned bool
	Failed  []string
	// Disabled: this kernel sandboxes nothing.
	Disabled bool
	Release  string
	ABI      int

	Coverage []coverage
	Depths   []depth
	// Deepest and DepthLimit are numbers of domains.
	Deepest, DepthLimit int
	Rules               []rule
	RulesLoaded         int
	Services            rows
	// NoNames: workloads are counted but not named.
	NoNames bool
	Assets  []asset
	Ended   *bar
	Since   string
	Denied  []count
	Denials string
	Daemon  []fact
}

// coverage is which share of something is sandboxed.
type coverage struct {
	Title, Of, Metric, Percent string
	Bar                        bar
	Notes                      []string
}

type depth struct {
	Depth string
	N     int
	Width float64 // in percent of the largest
}

// count is how many there are of something that others named.
type count struct {
	Name string
	N    int
}

type fact struct{ Name, Value string }

func newView(s series) view {
	v := view{
		Scanned:     s.count("landlockd_scan_success") == 1,
		Release:     s.info("landlock_kernel_info")["release"],
		ABI:         s.count("landlock_abi_version"),
		RulesLoaded: s.counts("landlockd_rules", "status")["loaded"],
		Deepest:     s.count("landlock_nesting_depth_max"),
		DepthLimit:  s.count("landlock_nesting_depth_limit"),
		Rules:       rules(s), Daemon: daemon(s),
	}
	v.Ended, v.Since = runs(s)
	v.Denied, v.Denials = denials(s)
	if !v.Scanned {
		v.Failed = failure(s)
		return v
	}
	v.Disabled = s.count("landlock_enabled") == 0
	v.Coverage = coverages(s)
	v.Depths = depths(s)
	v.Services = services(s)
	v.NoNames = len(s["landlock_workloads"]) > 0 && len(s["landlock_workload_processes"]) == 0
	v.Assets = assets(s)
	return v
}

func coverages(s series) (all []coverage) {
	for _, c := range []struct{ title, of, name, one string }{
		{"Services", "services", "landlock_workload", "service"},
		{"Processes", "processes", "landlock_process", "process"},
	} {
		metric := c.name + "s"
		if c.one == "process" {
			metric = c.name + "es"
		}
		if len(s[metric]) == 0 {
			continue
		}
		shown := coverage{
			Title: c.title, Of: c.of, Metric: metric, Percent: "?",
			Bar: newBar(states, s.counts(metric, "state")),
		}
		if ratio, ok := s.one(c.name + "_coverage_ratio"); ok {
			shown.Percent = percent(ratio)
		}
		note := func(n int, what string) {
			if n > 0 {
				shown.Notes = append(shown.Notes, plural.Count(n, c.one)+" "+what)
			}
		}
		note(s.count(metric+"_ineffective"), "in a sandbox that restricts nothing")
		note(s.count(metric+"_outside_worker"), "with a worker that may act outside of the sandbox")
		if c.one == "process" {
			unknown := s.counts("landlock_unknown_processes", "reason")
			for _, reason := range scan.Reasons() {
				note(unknown[reason.String()], "unknown: "+reason.String())
			}
		}
		all = append(all, shown)
	}
	return all
}

func depths(s series) []depth {
	points := s["landlock_processes_by_depth"]
	all := make([]depth, 0, len(points))
	most := 0
	for _, p := range points {
		all = append(all, depth{Depth: p.labels["depth"], N: int(p.value)})
		most = max(most, int(p.value))
	}
	number := func(d depth) int {
		n, err := strconv.Atoi(d.Depth)
		if err != nil {
			return scan.DeepestCounted + 1 // "17+"
		}
		return n
	}
	order.By(all, func(a, b depth) int { return number(a) - number(b) })
	for i := range all {
		if all[i].N > 0 {
			all[i].Width = hundredths(max(leastWidth, float64(all[i].N)/float64(most)*100))
		}
	}
	return all
}

func timeText(seconds float64) string {
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// runs is what ended, by state, and since when that is counted; nil if it is not.
func runs(s series) (*bar, string) {
	since, ok := s.one("landlockd_runs_start_timestamp_seconds")
	if !ok {
		return nil, ""
	}
	return new(newBar(states, s.counts("landlock_runs_total", "state"))), timeText(since)
}

// shownDenied is how many reasons of denials are listed.
const shownDenied = 10

// denials are the most frequent blockers, and their sum in words; empty if they are not counted.
func denials(s series) (all []count, sum string) {
	for blocker, n := range s.counts("landlock_denials_by_blocker_total", "blocker") {
		if n > 0 {
			all = append(all, count{blocker, n})
		}
	}
	sortCounts(all)
	switch total, ok := s.one("landlock_denials_total"); {
	case ok && total == 0:
		sum = "The kernel counted none since the daemon started."
	case ok:
		sum = fmt.Sprintf("At least %s since the daemon started.",
			plural.Count(int(total), "access")+" denied")
	case len(s["landlock_denials_by_blocker_total"]) > 0 && len(all) == 0:
		sum = "None was read since the daemon started."
	}
	return all[:min(len(all), shownDenied)], sum
}
