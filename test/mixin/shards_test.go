// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/test/fleet"
)

// TestShards goes the way of fleets that are too large for one Prometheus, with
// the configurations of docs/fleet.md: two servers share the hosts of a cluster, and
// a central one, which has nothing but what they recorded, answers the fleet's
// dashboard exactly.
func TestShards(t *testing.T) {
	t.Parallel()
	hosts := fleet.Generate(fleet.Options{Seed: 7, Hosts: 32, Units: 24})
	served := serveFleet(t, hosts)
	var shards []string
	for _, number := range []string{"0", "1"} {
		p := startPrometheus(t, shardConfig(t, served, number))
		shards = append(shards, strings.TrimPrefix(p.url, "http://"))
		// Either has a part of the hosts.
		within(t, patience, func() string {
			v, err := p.query(`count(up{job="landlockd"}) < 28`, true)
			if err != nil || len(v) != 1 || v[0].Value < 4 {
				return "the servers do not share the hosts"
			}
			return ""
		})
	}
	config := docsConfig(t, "central.yml")
	config["global"] = map[string]string{"scrape_interval": "1s"}
	scrape := only(t, config["scrape_configs"])
	scrape["static_configs"] = []any{map[string]any{"targets": shards}}
	central := startPrometheus(t, config)

	all := dashboards(t)
	maps.DeleteFunc(all, func(uid string, _ *dashboard) bool { return uid != "landlockd-fleet" })
	truth := fleet.TruthOf(hosts)
	whole := &choice{name: "centre", cluster: ".*", instance: ".*", ofClusters: truth, ofHosts: truth}
	checks := []check{{"centre hosts without landlockd", `sum(cluster:landlockd_hosts_missing:count)`, true, map[string]float64{"": fleet.Missing}}}
	for uid, d := range all {
		for _, panel := range d.Panels {
			for _, q := range panel.Targets {
				key := panel.key(uid, q)
				want, _ := whole.want(key, q.Expr)
				checks = append(checks, check{"centre " + key, fill(q.Expr, whole.values()), q.Instant, want})
			}
		}
	}
	settle(t, central, checks, patience)
}

// shardConfig is docs/fleet.md's, for one of the servers of a simulated fleet. All
// its hosts have one address: instance distinguishes them.
func shardConfig(t *testing.T, served *served, number string) map[string]any {
	t.Helper()
	config := docsConfig(t, "shard.yml")
	var relabel any
	for _, c := range config["scrape_configs"].([]any) {
		if r := c.(map[string]any)["relabel_configs"]; r != nil {
			relabel = r
		}
	}
	text, err := yaml.Marshal(relabel)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("__address__", "instance", `regex: "0"`, `regex: "`+number+`"`).Replace(string(text))
	if err := yaml.Unmarshal([]byte(changed), &relabel); err != nil {
		t.Fatal(err)
	}
	var scrapes []any
	for _, c := range served.scrapeConfigs {
		scrape := maps.Clone(c.(map[string]any))
		scrape["relabel_configs"] = append([]any{map[string]string{"action": "labeldrop", "regex": "cluster"}}, relabel.([]any)...)
		scrapes = append(scrapes, scrape)
	}
	config["scrape_configs"] = scrapes
	config["rule_files"] = []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")}
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": map[string]string{"cluster": "eu-" + number}}
	return config
}

// docsConfig returns the configuration of docs/fleet.md whose first line names a file.
func docsConfig(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(fleetPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(block[1], "# "+name) {
			continue
		}
		config := map[string]any{}
		if err := yaml.Unmarshal([]byte(block[1]), &config); err != nil {
			t.Fatal(err)
		}
		return config
	}
	t.Fatalf("docs/fleet.md shows no %s", name)
	return nil
}

// only is the one element of a list.
func only(t *testing.T, list any) map[string]any {
	t.Helper()
	l, ok := list.([]any)
	if !ok || len(l) != 1 {
		t.Fatalf("want a list of one: %v", list)
	}
	return l[0].(map[string]any)
}
