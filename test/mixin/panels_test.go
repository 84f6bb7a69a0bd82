// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/fleet"
)

// TestPanels runs every query of every dashboard against a Prometheus that
// scrapes a fleet: for the whole fleet, where each must return data, and for
// choices of cluster, host, workload and rule; key panels must return exactly
// what the fleet was made of.
func TestPanels(t *testing.T) {
	t.Parallel()
	hosts := fleet.Generate(fleet.Options{Seed: 7, Hosts: 32, Units: 24})
	p, _ := startFleet(t, hosts, "1s")
	all := dashboards(t)
	settle(t, p, append(checksOf(t, all, hosts), brokenAlerts(t, hosts)), patience)
	checkVariableQueries(t, p, all, hosts)
	checkRunbookQueries(t, p)
}

// brokenAlerts are those of what ended and broke a rule, where what runs does not violate it.
func brokenAlerts(t *testing.T, hosts []*fleet.Host) check {
	t.Helper()
	want := map[string]float64{}
	for _, h := range hosts {
		for name, r := range fleet.TruthOf([]*fleet.Host{h}).ByRule {
			if r.Runs.Broken > 0 && r.Violating == 0 && h.Kind != fleet.Disabled {
				want["rule="+name]++
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("nothing of the fleet broke a rule and has ended")
	}
	return check{"alerts", `count by (rule) (ALERTS{alertname="LandlockRuleBroken", alertstate="firing"}
		unless on (cluster, job, instance, rule) max_over_time(landlock_rule_violated[5m]) == 1)`, true, want}
}

// checksOf returns the queries of all dashboards with what they must return.
func checksOf(t *testing.T, all map[string]*dashboard, hosts []*fleet.Host) (checks []check) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range choices(t, hosts) {
		for uid, d := range all {
			ofHost := uid == "landlockd-host"
			if ofHost && !c.one {
				continue // it is opened for one host only
			}
			for _, panel := range d.Panels {
				for _, q := range panel.Targets {
					key := panel.key(uid, q)
					known[key] = true
					want, sure := c.want(key, q.Expr)
					if sure || c.one == ofHost {
						checks = append(checks, check{c.name + " " + key, fill(q.Expr, c.values()), q.Instant, want})
					}
				}
			}
		}
	}
	for key := range truths(fleet.TruthOf(hosts), true) {
		if !known[key] {
			t.Errorf("truth of %s, which is no panel", key)
		}
	}
	return checks
}

// The workload and the rule that their dashboards are opened for.
const (
	chosenWorkload = "nginx.service"
	chosenRule     = "web"
)

// choice is what somebody chose at the top of a dashboard.
type choice struct {
	name              string
	cluster, instance string // regular expressions
	// ofClusters is what is true of all hosts of the chosen clusters, ofHosts
	// of the chosen ones of them.
	ofClusters, ofHosts fleet.Truth
	// eu: of the two clusters only that one is chosen. one: only one host is.
	eu, one bool
}

// values returns the variables.
func (c *choice) values() map[string]string {
	return map[string]string{"cluster": c.cluster, "instance": c.instance, "workload": "(" + chosenWorkload + ")",
		"rule": "(" + chosenRule + ")", "__rate_interval": rateInterval}
}

// want returns what a panel must return, if that is known exactly: where the
// query shows the present of hosts, only of a host that answers every scrape.
func (c *choice) want(key, expr string) (want map[string]float64, sure bool) {
	if !strings.Contains(expr, "$instance") {
		want, sure = truths(c.ofClusters, c.eu)[key]
		return want, sure
	}
	if want, sure = truths(c.ofHosts, c.eu)[key]; sure && c.one {
		return want, true
	}
	return nil, false
}

func choices(t *testing.T, hosts []*fleet.Host) []*choice {
	eu := slices.DeleteFunc(slices.Clone(hosts), func(h *fleet.Host) bool { return h.Cluster != "eu" })
	i := slices.IndexFunc(hosts, func(h *fleet.Host) bool { return h.ShowsAll(chosenRule) })
	if i < 0 {
		t.Fatal("no host of the fleet is fit to be chosen")
	}
	// As Grafana writes a regular expression into a string.
	name := strings.ReplaceAll(regexp.QuoteMeta(hosts[i].Instance()), `\`, `\\`)
	all, one := fleet.TruthOf(hosts), fleet.TruthOf(hosts[i:i+1])
	return []*choice{
		{name: "fleet", cluster: ".*", instance: ".*", ofClusters: all, ofHosts: all},
		{name: "one cluster", cluster: "(eu)", instance: ".*", ofClusters: fleet.TruthOf(eu), ofHosts: fleet.TruthOf(eu), eu: true},
		{name: "one host", cluster: ".*", instance: "(" + name + ")", ofClusters: all, ofHosts: one, one: true},
	}
}

// check is one query, and what it must return; nil is anything that is a number.
type check struct {
	name, expr string
	instant    bool
	want       map[string]float64
}

// settle repeats what is not as it should be until all is, because Prometheus
// needs some scrapes and evaluations first.
func settle(t *testing.T, p *prometheus, checks []check, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		var wrong []check
		var why []string
		for _, c := range checks {
			if problem := c.run(p); problem != "" {
				wrong = append(wrong, c)
				why = append(why, fmt.Sprintf("%s: %s\n  %s", c.name, problem, c.expr))
			}
		}
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d of the queries never returned what they must:\n%s", len(wrong), strings.Join(why, "\n"))
			return
		}
		checks = wrong
		time.Sleep(500 * time.Millisecond)
	}
}

func (c check) run(p *prometheus) string {
	got, err := p.query(c.expr, c.instant)
	if err != nil {
		return err.Error()
	}
	if c.want == nil {
		for _, s := range got {
			if !math.IsNaN(float64(s.Value)) && !math.IsInf(float64(s.Value), 0) {
				return ""
			}
		}
		return fmt.Sprintf("no number among %d series", len(got))
	}
	values := map[string]float64{}
	for _, s := range got {
		values[labels(s.Metric)] = float64(s.Value)
	}
	if len(values) != len(got) || !maps.EqualFunc(values, c.want, c.agrees) {
		return fmt.Sprintf("got %v, want %v", values, c.want)
	}
	return ""
}

// agrees allows for the rounding of one division, no more; but hosts where as much ends at each
// scrape are not scraped equally often, and some reboot.
func (c check) agrees(a, b float64) bool {
	ofRates := strings.Contains(c.name, "fleet/Run coverage") || strings.Contains(c.name, "rule/Compliant runs")
	return near(a, b) || ofRates && math.Abs(a-b) <= 0.1*b
}

// near allows for the rounding of one division, no more.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(1, math.Abs(b)) }

// labels are the labels of a series without its name and without those of its
// host, as in a=b,c=d.
func labels(m model.Metric) string {
	var parts []string
	for name, value := range m {
		switch name {
		case model.MetricNameLabel, "instance", "job", "cluster":
		default:
			parts = append(parts, string(name)+"="+string(value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// truths are what key panels must return, by dashboard, title and query; some
// only if one cluster is chosen, because they have a series for each.
func truths(t fleet.Truth, eu bool) map[string]map[string]float64 {
	ratio := func(c fleet.Counts) float64 { return float64(c[scan.Sandboxed]) / float64(c.Known()) }
	effective := func(c fleet.Counts, ineffective int) map[string]float64 {
		return map[string]float64{"": float64(c[scan.Sandboxed]-ineffective) / float64(c.Known())}
	}
	total := func(c fleet.Counts) float64 { return float64(c.Known() + c[scan.Unknown]) }
	stat := func(v float64) map[string]float64 { return map[string]float64{"": v} }
	states := func(c fleet.Counts) map[string]float64 {
		m := map[string]float64{}
		for _, s := range scan.States() {
			m["state="+s.String()] = float64(c[s])
		}
		return m
	}
	// Of a workload, these two states have a series only if there are some.
	present := func(c fleet.Counts) map[string]float64 {
		m := states(c)
		maps.DeleteFunc(m, func(key string, n float64) bool {
			return n == 0 && (key == "state=partial" || key == "state=unknown")
		})
		return m
	}
	w, r := t.ByWorkload[chosenWorkload], t.ByRule[chosenRule]
	judged := float64(r.Runs.Compliant + r.Runs.Violating + r.Runs.Short)
	out := map[string]map[string]float64{
		"fleet/Workload coverage/A":                    stat(ratio(t.Workloads)),
		"fleet/Process coverage/A":                     stat(ratio(t.Processes)),
		"fleet/Effective workload coverage/A":          effective(t.Workloads, t.IneffectiveWorkloads),
		"fleet/Effective process coverage/A":           effective(t.Processes, t.Ineffective),
		"fleet/Outside workers/A":                      stat(float64(t.OutsideWorkers)),
		"fleet/Hosts without a fix/A":                  {},
		"fleet/Unknown processes/A":                    stat(float64(t.Processes[scan.Unknown]) / total(t.Processes)),
		"fleet/Hosts with facts/A":                     stat(float64(t.Hosts)),
		"fleet/Hosts without Landlock/A":               stat(float64(t.Disabled)),
		"fleet/Hosts not joined/A":                     stat(0),
		"fleet/Workloads by state/A":                   states(t.Workloads),
		"fleet/Processes by state/A":                   states(t.Processes),
		"fleet/Rules/A":                                {},
		"fleet/Rules/B":                                {},
		"fleet/Rules/C":                                {},
		"fleet/Rules/D":                                {},
		"fleet/Services that violate a rule/A":         {},
		"fleet/Waived rules/A":                         {"rule=" + chosenRule: 0},
		"fleet/Waived rules/B":                         {"rule=" + chosenRule: 0},
		"fleet/Waived rules/C":                         {"rule=" + chosenRule: float64(fleet.WaivedUntil().UnixMilli())},
		"fleet/Run coverage/A":                         stat(ratio(t.Runs)),
		"host/Run coverage/A":                          stat(ratio(t.Runs)),
		"host/Broken rules/A":                          stat(0),
		"rule/Broken hosts/A":                          stat(float64(r.Runs.Broken)),
		"rule/Compliant runs/A":                        stat(float64(r.Runs.Compliant) / judged),
		"fleet/Workloads/A":                            {},
		"fleet/Workloads/B":                            {},
		"fleet/Workloads/C":                            {},
		"fleet/Workloads/D":                            {},
		"fleet/Processes that restrict a right/A":      {},
		"fleet/Kept from an asset/A":                   {},
		"fleet/Services within reach of an asset/A":    {},
		"fleet/Services within reach of an asset/B":    {},
		"workload/Assets/A":                            {},
		"workload/Assets/B":                            {},
		"fleet/Kernels by Landlock ABI/A":              {},
		"fleet/Hosts with other rules than most/A":     stat(float64(t.Drifted)),
		"fleet/Hosts by landlockd version/A":           {"version=" + fleet.Version: float64(t.Answering)},
		"host/Workload coverage/A":                     stat(ratio(t.Workloads)),
		"host/Process coverage/A":                      stat(ratio(t.Processes)),
		"host/Effective workload coverage/A":           effective(t.Workloads, t.IneffectiveWorkloads),
		"host/Effective process coverage/A":            effective(t.Processes, t.Ineffective),
		"host/Ineffective workloads/A":                 stat(float64(t.IneffectiveWorkloads)),
		"host/Ineffective processes/A":                 stat(float64(t.Ineffective)),
		"host/Outside workers/A":                       stat(float64(t.OutsideWorkers)),
		"host/Unread domains/A":                        stat(0),
		"host/Errata of Landlock/A":                    {},
		"host/Unknown processes/A":                     stat(float64(t.Processes[scan.Unknown])),
		"host/Workloads by state/A":                    states(t.Workloads),
		"host/Processes by state/A":                    states(t.Processes),
		"host/Violated rules/A":                        stat(0),
		"host/Waived rules/A":                          {"rule=" + chosenRule: 0},
		"host/Waived rules/B":                          {"rule=" + chosenRule: 0},
		"host/Waived rules/C":                          {"rule=" + chosenRule: float64(fleet.WaivedUntil().UnixMilli())},
		"workload/Hosts/A":                             stat(float64(w.Hosts)),
		"workload/Hosts with an unsandboxed process/A": stat(float64(w.Unsandboxed)),
		"workload/Processes/A":                         stat(total(w.Processes)),
		"workload/Coverage/A":                          stat(ratio(w.Processes)),
		"workload/Processes by state/A":                present(w.Processes),
		"rule/Hosts/A":                                 stat(float64(r.Hosts)),
		"rule/Violating hosts/A":                       stat(float64(r.Violating)),
		"rule/Share of hosts/A":                        stat(float64(r.Violating) / float64(r.Hosts)),
		"rule/Unknown processes/A":                     stat(float64(r.Unknown)),
	}
	if eu {
		out["fleet/Hosts without landlockd/A"] = stat(fleet.Missing)
		out["fleet/Clusters/A"], out["fleet/Clusters/B"] = stat(float64(t.Violating)), stat(0)
		for _, rule := range t.ByRule {
			out["fleet/Clusters/B"][""] += float64(rule.Violating)
		}
		out["fleet/Mean nesting depth/A"] = stat(float64(t.Layers) / float64(t.Processes.Known()))
		out["fleet/Run coverage by cluster/A"] = stat(ratio(t.Runs))
		out["fleet/Workload coverage by cluster/A"] = stat(ratio(t.Workloads))
		out["fleet/Workload coverage by cluster/B"] = effective(t.Workloads, t.IneffectiveWorkloads)
	}
	for _, named := range fleet.Rules() {
		rule, ok := t.ByRule[named.Name]
		if !ok {
			continue
		}
		key := "rule=" + named.Name + ",severity=" + named.Severity
		out["fleet/Rules/A"][key] = float64(rule.Hosts)
		out["fleet/Rules/B"][key] = float64(rule.Violating)
		out["fleet/Rules/C"][key] = float64(rule.Violating) / float64(rule.Hosts)
		out["host/Violated rules/A"][""] += float64(rule.Violating)
		// Where there are too few of one, none is there to violate it otherwise.
		if n := rule.Violating - rule.Violations["too_few"]; n > 0 {
			out["fleet/Services that violate a rule/A"]["rule="+named.Name+",workload="+named.Workload] = float64(n)
		}
		if rule.Runs.Broken > 0 {
			out["fleet/Rules/D"][key] = float64(rule.Runs.Broken)
			out["host/Broken rules/A"][""]++
		}
	}
	for name, w := range t.ByWorkload {
		key := "workload=" + name
		if w.Processes.Known() > 0 {
			out["fleet/Workloads/A"][key] = ratio(w.Processes)
		}
		out["fleet/Workloads/B"][key] = float64(w.Processes.Known())
		out["fleet/Workloads/C"][key] = float64(w.Hosts)
		out["fleet/Workloads/D"][key] = float64(w.Unsandboxed)
	}
	for asset, n := range t.ByAsset {
		if known := n.Out + n.Within; known > 0 {
			out["fleet/Kept from an asset/A"]["asset="+asset] = float64(n.Out) / float64(known)
		}
	}
	for w, n := range t.Within {
		key := "asset=" + w.Asset + ",workload=" + w.Workload
		processes, hosts := float64(n.Processes), float64(n.Hosts)
		out["fleet/Services within reach of an asset/A"][key] = processes
		out["fleet/Services within reach of an asset/B"][key] = hosts
		if w.Workload == chosenWorkload {
			out["workload/Assets/A"][key], out["workload/Assets/B"][key] = processes, hosts
		}
	}
	for erratum, n := range t.WithoutFix {
		out["fleet/Hosts without a fix/A"]["erratum="+erratum] = float64(n)
		out["host/Errata of Landlock/A"]["erratum="+erratum] = float64(1 - n)
	}
	for abi, n := range t.ByABI {
		out["fleet/Kernels by Landlock ABI/A"][fmt.Sprintf("abi=%d", abi)] = float64(n)
	}
	for right, n := range t.Restricted {
		out["fleet/Processes that restrict a right/A"]["right="+right] = float64(n) / float64(t.Having[right])
	}
	return out
}

// checkVariableQueries: what somebody can choose is what there is.
func checkVariableQueries(t *testing.T, p *prometheus, all map[string]*dashboard, hosts []*fleet.Host) {
	t.Helper()
	var names []string
	for _, h := range hosts {
		if h.Kind != fleet.Down { // build_info is all that a host needs to be found
			names = append(names, h.Instance())
		}
	}
	rules := make([]string, 0, len(fleet.Rules()))
	for _, r := range fleet.Rules() {
		rules = append(rules, r.Name)
	}
	slices.Sort(rules)
	want := map[string][]string{
		"cluster": {"eu", "us"}, "instance": names, "rule": rules,
		"workload": slices.Sorted(maps.Keys(fleet.TruthOf(hosts).ByWorkload)),
	}
	form := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	for uid, d := range all {
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			q, _ := v.Query.(map[string]any)["query"].(string)
			m := form.FindStringSubmatch(q)
			if m == nil {
				t.Errorf("%s: variable %s has query %q", uid, v.Name, q)
				continue
			}
			var got []string
			err := p.get("label/"+m[2]+"/values", map[string][]string{"match[]": {fill(m[1], map[string]string{"cluster": ".*"})}}, &got)
			if err != nil || !slices.Equal(got, want[v.Name]) {
				t.Errorf("%s: variable %s is one of %q (%v), want %q", uid, v.Name, got, err, want[v.Name])
			}
		}
	}
}
