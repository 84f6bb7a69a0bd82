// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/scan"
)

func TestGenerateIsDeterministic(t *testing.T) {
	o := Options{Seed: 1, Hosts: 32, Units: 20}
	if a, b := Generate(o), Generate(o); !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave two fleets")
	}
	if reflect.DeepEqual(Generate(o), Generate(Options{Seed: 2, Hosts: 32, Units: 20})) {
		t.Error("two seeds gave the same fleet")
	}
	kinds := map[Kind]bool{}
	for _, h := range Generate(Options{Seed: 1, Hosts: 16, Units: 20}) {
		kinds[h.Kind] = true
	}
	if len(kinds) != int(Down)+1 {
		t.Errorf("16 hosts are of %d kinds, want all %d", len(kinds), Down+1)
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
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	out := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			labels := model.LabelSet{}
			for _, l := range m.Label {
				labels[model.LabelName(l.GetName())] = model.LabelValue(l.GetValue())
			}
			key := name
			if len(labels) > 0 {
				key += labels.String()
			}
			out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// TestServer compares what each host serves with what it was made of.
func TestServer(t *testing.T) {
	hosts := Generate(Options{Seed: 3, Hosts: 48, Units: 30})
	s, err := NewServer(hosts, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	for _, h := range hosts {
		got := scrape(t, srv.URL+h.Path())
		truth := TruthOf([]*Host{h})
		switch {
		case h.Kind == Down:
			if got != nil {
				t.Errorf("%s is down and answers", h.Name)
			}
			continue
		case h.Kind == Failing:
			if got["landlockd_scan_success"] != 0 || hasFact(got) || truth.WithoutFacts != 1 {
				t.Errorf("%s cannot scan: got %v", h.Name, got)
			}
			continue
		}
		want := map[string]float64{"landlock_enabled": float64(1 - truth.Disabled), "landlock_process_layers": float64(truth.Layers)}
		for _, state := range scan.States() {
			want[fmt.Sprintf(`landlock_processes{state=%q}`, state)] = float64(truth.Processes[state])
			want[fmt.Sprintf(`landlock_workloads{state=%q}`, state)] = float64(truth.Workloads[state])
			for name, w := range truth.ByWorkload {
				if n := w.Processes[state]; n > 0 {
					want[fmt.Sprintf(`landlock_workload_processes{state=%q, workload=%q}`, state, name)] = float64(n)
				}
			}
		}
		for _, r := range Rules() {
			if rule, ok := truth.ByRule[r.Name]; ok {
				want[fmt.Sprintf(`landlock_rule_violated{rule=%q, severity=%q}`, r.Name, r.Severity)] = float64(rule.Violating)
			}
		}
		for right, n := range truth.Restricted {
			want[fmt.Sprintf(`landlock_processes_restricted{right=%q}`, right)] = float64(n)
		}
		for series, v := range want {
			if g, ok := got[series]; !ok || g != v {
				t.Errorf("%s: %s is %v (there: %v), want %v", h.Name, series, g, ok, v)
			}
		}
	}
}

func hasFact(samples map[string]float64) bool {
	for name := range samples {
		if strings.HasPrefix(name, "landlock_") {
			return true
		}
	}
	return false
}

// TestKinds scrapes hosts several times: some fail now and then.
func TestKinds(t *testing.T) {
	hosts := Generate(Options{Seed: 3, Hosts: 16, Units: 10})
	s, err := NewServer(hosts, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	want := map[Kind]string{
		Steady: "++++++++++++", Disabled: "++++++++++++", Flaky: "+++-+++-+++-",
		Rebooting: "++++++++-.++", Failing: "------------", Down: "............",
	}
	for _, h := range hosts {
		got := ""
		for range len(want[h.Kind]) {
			switch samples := scrape(t, srv.URL+h.Path()); {
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
