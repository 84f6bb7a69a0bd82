// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
)

// TestKubePrometheusStack scrapes nodes as kube-prometheus-stack does: it calls node_exporter by
// the node's address, and landlockd is called by the node's name. With kube-state-metrics hosts
// are joined; without it they are counted, and nothing is said of them that is not known.
func TestKubePrometheusStack(t *testing.T) {
	t.Parallel()
	hosts := slices.DeleteFunc(fleet.Generate(fleet.Options{Seed: 11, Hosts: 32, Units: 4}), func(h *fleet.Host) bool { return h.Kind != fleet.Steady })[:4]
	// What each Prometheus must record, and whether the alert is pending (it has an hour to wait).
	for name, c := range map[string]struct {
		info                         bool
		watched                      int
		unmatched, missing, unjoined float64
	}{
		"joined":                   {info: true, watched: 4},
		"joined, and one is not":   {info: true, watched: 3, unmatched: 1, missing: 1},
		"unjoined":                 {watched: 4, unmatched: 4, unjoined: 4},
		"unjoined, and one is not": {watched: 3, unmatched: 4, missing: 1, unjoined: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPrometheus(t, map[string]any{
				"global":         often(),
				"rule_files":     []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")},
				"scrape_configs": nodes(t, hosts, c.watched, c.info),
			})
			pending := map[string]float64{}
			if c.missing > 0 {
				pending["alertname=LandlockHostsWithoutLandlockd,alertstate=pending,severity=info"] = 1
			}
			stat := func(v float64) map[string]float64 { return map[string]float64{"": v} }
			checks := []check{
				{"hosts", "cluster:landlockd_hosts:count", true, stat(float64(c.watched))},
				{"unmatched", "cluster:landlockd_hosts_unmatched:count", true, stat(c.unmatched)},
				{"missing", "cluster:landlockd_hosts_missing:count", true, stat(c.missing)},
				{"unjoined", "cluster:landlockd_hosts_unjoined:count", true, stat(c.unjoined)},
				{"alert", `ALERTS{alertname="LandlockHostsWithoutLandlockd"}`, true, pending},
			}
			wrong := func() string { // at one time: while targets are scraped first, one by one, all passes
				for _, c := range checks {
					if problem := c.run(p); problem != "" {
						return c.name + ": " + problem
					}
				}
				return ""
			}
			within(t, patience, wrong)
			for range 5 { // and so it stays
				time.Sleep(time.Second)
				if problem := wrong(); problem != "" {
					t.Error(problem)
				}
			}
		})
	}
}

// nodes serves a cluster whose nodes have the exporters of kube-prometheus-stack, and so many of
// them landlockd, to a Prometheus with these scrape configurations.
func nodes(t *testing.T, hosts []*fleet.Host, watched int, info bool) (scrapeConfigs []any) {
	t.Helper()
	server, err := fleet.NewServer(hosts, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var podInfo strings.Builder
	mux := http.NewServeMux()
	mux.Handle("/hosts/", server)
	mux.HandleFunc("/node", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, podInfo.String()) })
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { srv.Close(); server.Close() })

	configs := map[string]map[string]any{}
	target := func(job, path string, labels map[string]string) {
		if configs[job] == nil {
			// As kube-prometheus-stack has it for kube-state-metrics: pods are those of the page.
			configs[job] = map[string]any{"job_name": job, "honor_labels": job == "kube-state-metrics", "static_configs": []any{}}
		}
		all := map[string]string{"job": job, "__metrics_path__": path}
		maps.Copy(all, labels)
		configs[job]["static_configs"] = append(configs[job]["static_configs"].([]any), map[string]any{
			"targets": []string{strings.TrimPrefix(srv.URL, "http://")}, "labels": all,
		})
	}
	for i, h := range hosts {
		address, pod := fmt.Sprintf("10.0.0.%d", i+1), fmt.Sprintf("kps-prometheus-node-exporter-%05d", i)
		target("node-exporter", "/node", map[string]string{
			"instance": address + ":9100", "namespace": "monitoring", "pod": pod, "container": "node-exporter",
			"endpoint": "http-metrics", "service": "kps-prometheus-node-exporter",
		})
		fmt.Fprintf(&podInfo, "kube_pod_info{namespace=%q,pod=%q,host_ip=%q,pod_ip=%q,node=%q,uid=\"%d\"} 1\n", "monitoring", pod, address, address, h.Name, i)
		if i < watched {
			target("landlockd", h.Path(), map[string]string{"instance": h.Name, "namespace": "landlockd", "endpoint": "metrics"})
		}
	}
	if info {
		target("kube-state-metrics", "/state", map[string]string{
			"instance": "10.1.0.7:8080", "namespace": "monitoring", "pod": "kps-kube-state-metrics-abc", "container": "kube-state-metrics",
			"endpoint": "http", "service": "kps-kube-state-metrics",
		})
	}
	for _, c := range configs {
		scrapeConfigs = append(scrapeConfigs, c)
	}
	return scrapeConfigs
}
