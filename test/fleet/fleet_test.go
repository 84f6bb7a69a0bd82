// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/exposition"
)

func TestGenerateIsDeterministic(t *testing.T) {
	o := Options{Seed: 1, Hosts: 32, Units: 20}
	if a, b := Generate(o), Generate(o); !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave two fleets")
	}
	if reflect.DeepEqual(Generate(o), Generate(Options{Seed: 2, Hosts: 32, Units: 20})) {
		t.Error("two seeds gave the same fleet")
	}
}

// TestFleetHasAll: among the hosts of a small fleet are all kinds, all kernels, and
// every way to violate a rule.
func TestFleetHasAll(t *testing.T) {
	hosts := Generate(Options{Seed: 11, Hosts: 100, Units: 20})
	kinds, abis := map[Kind]int{}, map[int]int{}
	for _, h := range hosts {
		kinds[h.Kind]++
		abis[h.ABI]++
	}
	if len(kinds) != int(numKinds) || len(abis) != len(kernels())+1 {
		t.Errorf("hosts by kind %v, by ABI %v", kinds, abis)
	}
	reasons, ran := map[string]bool{}, RunTruth{}
	truth := TruthOf(hosts)
	if n := truth.IneffectiveWorkloads; n == 0 || truth.Ineffective <= n || truth.OutsideWorkers == 0 ||
		truth.ByAsset["outside"].Out == 0 || truth.ByAsset["outside"].Within == 0 || truth.ByAsset["runtime"].Unknown == 0 {
		t.Errorf("%d workloads and %d processes are ineffective, %d have outside workers; assets %v", n, truth.Ineffective, truth.OutsideWorkers, truth.ByAsset)
	}
	for _, r := range truth.ByRule {
		ran.add(r.Runs)
		for reason := range r.Violations {
			reasons[reason] = true
		}
		if r.Violating == 0 || r.Violating == r.Hosts || r.Compliant == 0 {
			t.Errorf("a rule says too little: %+v", r)
		}
	}
	if slices.Min([]int{ran.Compliant, ran.Violating, ran.Short, ran.Unknown, truth.Runs[scan.Sandboxed], truth.Runs[scan.Partial]}) == 0 {
		t.Errorf("something never ends: %+v, %v", ran, truth.Runs)
	}
	want := []string{"landlock_disabled", "partial", "right_not_restricted", "too_few", "too_shallow", "unsandboxed"}
	if got := slices.Sorted(maps.Keys(reasons)); !slices.Equal(got, want) {
		t.Errorf("reasons %q, want %q", got, want)
	}
	after := TruthOf(AfterLoss(hosts))
	if after.Disabled <= truth.Disabled || after.Processes.Total() != truth.Processes.Total() || after.Processes[scan.Sandboxed] >= truth.Processes[scan.Sandboxed] {
		t.Errorf("%d hosts without Landlock and then %d, processes %v and then %v", truth.Disabled, after.Disabled, truth.Processes, after.Processes)
	}
}

// scrape returns the samples of a host, as name{labels}, or nil if nobody answers.
func scrape(t *testing.T, url string) map[string]float64 {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exposition.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return out
}

func serve(t *testing.T, hosts []*Host) (*Server, string) {
	t.Helper()
	s, err := NewServer(hosts, -1)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); s.Close() })
	return s, srv.URL
}

// TestServer compares what each host serves with what it was made of, and that
// with what there is room for.
func TestServer(t *testing.T) {
	// Of so many units more are within reach of assets than a host names.
	hosts := Generate(Options{Seed: 6, Hosts: 48, Units: 110})
	s, url := serve(t, hosts)
	for _, h := range hosts {
		checkHost(t, h, 1, scrape(t, url+h.Path()))
	}
	if err := s.LoseLandlock(); err != nil {
		t.Fatal(err)
	}
	for i, h := range AfterLoss(hosts) {
		if hosts[i].Kind != Losing {
			continue
		}
		if got := scrape(t, url+h.Path()); hasFact(got) {
			t.Errorf("%s: the first scan after a boot did not fail", h.Name)
		}
		booted := *h
		booted.Young = true
		checkHost(t, &booted, 2, scrape(t, url+h.Path()))
		checkHost(t, h, 3, scrape(t, url+h.Path()))
	}
}

// checkHost compares what a host serves with what it was made of, and with what ended in so
// many scrapes.
func checkHost(t *testing.T, h *Host, scrapes int, got map[string]float64) {
	t.Helper()
	truth := TruthOf([]*Host{h})
	switch {
	case h.Kind == Down:
		if got != nil {
			t.Errorf("%s is down and answers", h.Name)
		}
		return
	case h.Kind == Failing:
		if got["landlockd_scan_success"] != 0 || hasFact(got) || truth.WithoutFacts != 1 {
			t.Errorf("%s cannot scan: got %v", h.Name, got)
		}
		return
	}
	want := map[string]float64{
		"landlock_enabled": float64(1 - truth.Disabled), "landlock_abi_version": float64(h.ABI),
		"landlock_process_layers": float64(truth.Layers), "landlockd_scan_success": 1,
		`landlockd_rules{status="loaded"}`:  float64(len(Rules())),
		"landlock_processes_ineffective":    float64(truth.Ineffective),
		"landlock_workloads_ineffective":    float64(truth.IneffectiveWorkloads),
		"landlock_processes_outside_worker": float64(truth.OutsideWorkers), "landlockd_domains_unread": 0,
	}
	for erratum, n := range truth.WithoutFix {
		want[fmt.Sprintf(`landlock_kernel_erratum_fixed{erratum=%q}`, erratum)] = float64(1 - n)
	}
	for _, state := range scan.States() {
		want[fmt.Sprintf(`landlock_processes{state=%q}`, state)] = float64(truth.Processes[state])
		want[fmt.Sprintf(`landlock_workloads{state=%q}`, state)] = float64(truth.Workloads[state])
		for name, w := range truth.ByWorkload {
			if n := w.Processes[state]; n > 0 {
				want[fmt.Sprintf(`landlock_workload_processes{state=%q,workload=%q}`, state, name)] = float64(n)
			}
		}
	}
	for asset, n := range truth.ByAsset {
		for reach, n := range map[string]int{"out_of_reach": n.Out, "within_reach": n.Within, "unknown": n.Unknown} {
			want[fmt.Sprintf(`landlock_asset_processes{asset=%q,reach=%q}`, asset, reach)] = float64(n)
		}
	}
	for w, n := range truth.Within {
		want[fmt.Sprintf(`landlock_workload_asset_processes{asset=%q,workload=%q}`, w.Asset, w.Workload)] = float64(n.Processes)
	}
	wantRules(truth, want)
	for name, r := range truth.ByRule {
		i := slices.IndexFunc(Rules(), func(r Rule) bool { return r.Name == name })
		since := fmt.Sprintf(`landlock_rule_violating_since_timestamp_seconds{rule=%q,severity=%q}`, name, Rules()[i].Severity)
		if v, there := got[since]; there != (r.Violating > 0) || there && (v <= 0 || v > float64(time.Now().Unix())) {
			t.Errorf("%s: %s is %v (there: %v), with %d violating", h.Name, since, v, there, r.Violating)
		}
	}
	wantRuns(truth, scrapes, want)
	checkBroken(t, h, truth, got)
	for right, n := range truth.Restricted {
		want[fmt.Sprintf(`landlock_processes_restricted{right=%q}`, right)] = float64(n)
	}
	for series, v := range want {
		if g, ok := got[series]; !ok || g != v {
			t.Errorf("%s: %s is %v (there: %v), want %v", h.Name, series, g, ok, v)
		}
	}
	// Nor may there be more of what is there only where something is wrong.
	for series, v := range got {
		name, _, _ := strings.Cut(series, "{")
		if _, ok := want[series]; !ok && v != 0 && slices.Contains([]string{
			"landlock_asset_processes", "landlock_workload_asset_processes", "landlock_workload_processes", "landlock_rule_processes", "landlock_rule_violated", "landlock_rule_violations", "landlock_processes_restricted", "landlock_kernel_erratum_fixed",
			"landlock_workload_runs_total", "landlock_rule_runs_total", "landlock_launches_total", "landlockd_run_records_lost_total",
		}, name) {
			t.Errorf("%s: %s is %v, want no such series", h.Name, series, v)
		}
	}
	checkBudget(t, h, got)
}

func wantRules(truth Truth, want map[string]float64) {
	for _, r := range Rules() {
		of, ok := truth.ByRule[r.Name]
		if !ok {
			continue
		}
		want[fmt.Sprintf(`landlock_rule_violated{rule=%q,severity=%q}`, r.Name, r.Severity)] = float64(of.Violating)
		violating := 0
		for reason, n := range of.Violations {
			workload := r.Workload
			if reason == "too_few" {
				workload = ""
			} else {
				violating += n
			}
			want[fmt.Sprintf(`landlock_rule_violations{reason=%q,rule=%q,workload=%q}`, reason, r.Name, workload)] = float64(n)
		}
		for result, n := range map[string]int{"compliant": of.Compliant, "violating": violating, "starting": of.Starting, "unknown": of.Unknown} {
			want[fmt.Sprintf(`landlock_rule_processes{result=%q,rule=%q}`, result, r.Name)] = float64(n)
		}
	}
}

func wantRuns(truth Truth, scrapes int, want map[string]float64) {
	all := 0
	for _, state := range scan.States() {
		n := truth.Runs[state] * scrapes
		all += n
		want[fmt.Sprintf(`landlock_runs_total{state=%q}`, state)] = float64(n)
	}
	if all > 0 {
		want[`landlock_launches_total{state="unsandboxed"}`] = float64(all)
	}
	for name, w := range truth.ByWorkload {
		for _, state := range []scan.State{scan.Unsandboxed, scan.Partial} {
			if w.Runs.Total() > 0 {
				want[fmt.Sprintf(`landlock_workload_runs_total{state=%q,workload=%q}`, state, name)] = float64(w.Runs[state] * scrapes)
			}
		}
	}
	for name, r := range truth.ByRule {
		if !r.Runs.Any() {
			continue
		}
		for result, n := range map[string]int{
			"compliant": r.Runs.Compliant, "violating": r.Runs.Violating, "short": r.Runs.Short, "unknown": r.Runs.Unknown,
		} {
			want[fmt.Sprintf(`landlock_rule_runs_total{result=%q,rule=%q}`, result, name)] = float64(n * scrapes)
		}
	}
}

// checkBroken: a rule was broken if a run violated it, and just now.
func checkBroken(t *testing.T, h *Host, truth Truth, got map[string]float64) {
	t.Helper()
	for _, r := range Rules() {
		series := fmt.Sprintf(`landlock_rule_last_broken_timestamp_seconds{rule=%q,severity=%q,workload=%q}`, r.Name, r.Severity, r.Workload)
		at, there := got[series]
		ago := time.Since(time.UnixMilli(int64(at * 1000)))
		if there != (truth.ByRule[r.Name].Runs.Broken > 0) || there && (ago < -time.Minute || ago > time.Hour) {
			t.Errorf("%s: %s is %v (there: %t), of %d runs", h.Name, series, at, there, truth.ByRule[r.Name].Runs.Violating)
		}
	}
}

// checkBudget: each series is in one part of the budget, and no part has too many.
func checkBudget(t *testing.T, h *Host, got map[string]float64) {
	t.Helper()
	rules := len(TruthOf([]*Host{h}).ByRule)
	have, fixed := make([]int, len(Budget())), 0
	for series := range got {
		name, _, _ := strings.Cut(series, "{")
		part := slices.IndexFunc(Budget(), func(p Part) bool { return p.Of(name) })
		if part < 0 {
			t.Fatalf("%s: %s is in no part of the budget", h.Name, name)
		}
		have[part]++
	}
	for i, p := range Budget() {
		if most := p.Most(len(h.Units), rules); have[i] > most {
			t.Errorf("%s: %d series of %s, want at most %d", h.Name, have[i], p.Name, most)
		}
		if slices.Contains([]string{"rights", "hardening", "the host and landlockd"}, p.Name) {
			fixed += have[i]
		}
	}
	if fixed > 110 {
		t.Errorf("%s: %d series beside those of workloads, rules, runs and denials, want at most 110", h.Name, fixed)
	}
}

// hasFact reports whether there is a fact of a scan: what ended is known without one.
func hasFact(samples map[string]float64) bool {
	ofRuns := begins("landlock_runs_", "landlock_launches_", "landlock_workload_runs_", "landlock_rule_runs_", "landlock_rule_last_broken_")
	for name := range samples {
		if strings.HasPrefix(name, "landlock_") && !ofRuns(name) {
			return true
		}
	}
	return false
}

// TestKinds scrapes hosts several times: some fail now and then.
func TestKinds(t *testing.T) {
	hosts := Generate(Options{Seed: 3, Hosts: 16, Units: 10})
	_, url := serve(t, hosts)
	want := map[Kind]string{
		Steady: "++++++++++++++", Disabled: "++++++++++++++", Losing: "++++++++++++++", Flaky: "+++-+++-+++-++",
		Rebooting: "+++++.-++++.-+", Failing: "--------------", Down: "..............",
	}
	for _, h := range hosts {
		got := ""
		for range len(want[h.Kind]) {
			samples := scrape(t, url+h.Path())
			if _, counted := samples["landlockd_runs_start_timestamp_seconds"]; counted != (samples != nil && h.Kind != Failing) {
				t.Errorf("host of kind %d, after %q: runs are counted: %t", h.Kind, got, counted)
			}
			switch {
			case samples == nil:
				got += "."
			case hasFact(samples):
				got += "+"
			default:
				got += "-"
			}
		}
		if got != want[h.Kind] {
			t.Errorf("host of kind %d: %s, want %s", h.Kind, got, want[h.Kind])
		}
	}
}

// TestReboot: after a boot counters begin again, and what would violate a rule is
// starting first.
func TestReboot(t *testing.T) {
	hosts := Generate(Options{Seed: 3, Hosts: 200, Units: 10})
	_, url := serve(t, hosts)
	i := slices.IndexFunc(hosts, func(h *Host) bool {
		return h.Kind == Rebooting && h.NamesDomains && !h.Young && TruthOf([]*Host{h}).ByRule["web"].Violating == 1
	})
	if i < 0 {
		t.Fatal("no such host")
	}
	const violated, denied = `landlock_rule_violated{rule="web",severity="critical"}`, "landlock_denials_total"
	var before map[string]float64
	for range rebootEvery - 1 {
		before = scrape(t, url+hosts[i].Path())
	}
	for range 2 { // nobody is there; the scan fails
		scrape(t, url+hosts[i].Path())
	}
	young, later := scrape(t, url+hosts[i].Path()), scrape(t, url+hosts[i].Path())
	if before[violated] != 1 || young[violated] != 0 || later[violated] != 1 {
		t.Errorf("violated is %v before a boot, then %v and %v", before[violated], young[violated], later[violated])
	}
	if before[denied] == 0 || young[denied] >= before[denied] {
		t.Errorf("%s is %v before a boot and %v after", denied, before[denied], young[denied])
	}
}
