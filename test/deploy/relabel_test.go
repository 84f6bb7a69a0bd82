// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// TestRelabelling has Prometheus itself say what labels the targets of a monitor
// have: two pods that one node has had, one after the other, must not differ, and
// those of two nodes must.
func TestRelabelling(t *testing.T) {
	ofPods := func(all []object) []monitoringv1.RelabelConfig {
		return find[*monitoringv1.PodMonitor](t, all).Spec.PodMetricsEndpoints[0].RelabelConfigs
	}
	services := chart(t, "--set=podMonitor.enabled=false", "--set=serviceMonitor.enabled=true")
	for name, configs := range map[string][]monitoringv1.RelabelConfig{
		"base": ofPods(kustomize(t, "base")), "chart": ofPods(chart(t)),
		"ServiceMonitor": find[*monitoringv1.ServiceMonitor](t, services).Spec.Endpoints[0].RelabelConfigs,
	} {
		// What the operator puts before the monitor's own.
		relabel := []map[string]any{
			{"source_labels": []string{"__meta_kubernetes_namespace"}, "target_label": "namespace"},
			{"source_labels": []string{"__meta_kubernetes_pod_container_name"}, "target_label": "container"},
			{"source_labels": []string{"__meta_kubernetes_pod_name"}, "target_label": "pod"},
			{"source_labels": []string{"__meta_kubernetes_pod_label_app_kubernetes_io_name"}, "target_label": "job"},
			{"target_label": "endpoint", "replacement": "metrics"},
		}
		for _, r := range configs {
			relabel = append(relabel, translate(t, r))
		}
		var groups []map[string]any
		for _, p := range [][3]string{{"node-1", "landlockd-aaaaa", "10.0.0.1"}, {"node-1", "landlockd-bbbbb", "10.0.0.9"}, {"node-2", "landlockd-ccccc", "10.0.0.3"}} {
			groups = append(groups, map[string]any{"targets": []string{p[2] + ":10644"}, "labels": map[string]string{
				"__meta_kubernetes_namespace": "landlockd", "__meta_kubernetes_pod_container_name": "landlockd", "__meta_kubernetes_pod_name": p[1],
				"__meta_kubernetes_pod_node_name": p[0], "__meta_kubernetes_pod_label_app_kubernetes_io_name": "landlockd",
			}})
		}
		dir := t.TempDir()
		save := func(file string, v any) {
			b, err := yaml.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, file), string(b))
		}
		save("targets.yml", groups)
		save("prometheus.yml", map[string]any{"scrape_configs": []any{map[string]any{
			"job_name": "podMonitor", "relabel_configs": relabel, "file_sd_configs": []any{map[string]any{"files": []string{filepath.Join(dir, "targets.yml")}}},
		}}})
		out := run(t, "promtool", "check", "service-discovery", "--timeout=3s", filepath.Join(dir, "prometheus.yml"), "podMonitor")
		var targets []struct {
			Labels map[string]string `json:"labels"`
		}
		if err := json.Unmarshal([]byte(out), &targets); err != nil || len(targets) != 3 {
			t.Fatalf("%v: %s", err, out)
		}
		byInstance := map[string][]map[string]string{}
		for _, target := range targets {
			l := map[string]string{}
			for k, v := range target.Labels {
				if k[0] != '_' { // those do not reach series
					l[k] = v
				}
			}
			byInstance[l["instance"]] = append(byInstance[l["instance"]], l)
		}
		one, two := byInstance["node-1"], byInstance["node-2"]
		if len(one) != 2 || len(two) != 1 {
			t.Fatalf("%s: %v", name, byInstance)
		}
		if !maps.Equal(one[0], one[1]) {
			t.Errorf("%s: two pods of a node make series %v and %v", name, one[0], one[1])
		}
		want := map[string]string{"job": "landlockd", "instance": "node-1", "namespace": "landlockd", "endpoint": "metrics"}
		if !maps.Equal(one[0], want) {
			t.Errorf("%s: labels %v, want %v", name, one[0], want)
		}
	}
}

// translate writes a relabelling as Prometheus does.
func translate(t *testing.T, r monitoringv1.RelabelConfig) map[string]any {
	t.Helper()
	m := map[string]any{}
	if len(r.SourceLabels) > 0 {
		m["source_labels"] = r.SourceLabels
	}
	for key, value := range map[string]string{"target_label": r.TargetLabel, "regex": r.Regex, "action": r.Action} {
		if value != "" {
			m[key] = value
		}
	}
	if r.Separator != nil || r.Replacement != nil || r.Modulus != 0 {
		t.Fatalf("%+v has what is not translated", r)
	}
	return m
}
