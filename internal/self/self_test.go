// SPDX-License-Identifier: Apache-2.0

package self

import (
	"math"
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/internal/families"
)

// What is shown of the process is what client_golang's own collectors show, in the same words
// and with the same values, as far as those stand still from one look to the next.
func TestProcessAsItsCollectors(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
			collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile("^/gc/cycles/total")})))
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]*dto.MetricFamily{}
	for _, f := range gathered {
		theirs[f.GetName()] = f
	}
	within := map[string]float64{ // of their value, to either side
		"go_gc_cycles_total_gc_cycles_total": 10, "go_goroutines": 10, "go_threads": 10,
		"process_cpu_seconds_total": 5, "process_open_fds": 10, "process_resident_memory_bytes": 64 << 20,
		"process_virtual_memory_bytes": 1 << 30,
	}
	var m families.Memory
	ours, err := New().GatherIn(&m)
	if err != nil {
		t.Fatal(err)
	}
	if len(ours) != len(all()) {
		t.Errorf("%d families, want %d", len(ours), len(all()))
	}
	for _, f := range ours {
		their := theirs[f.GetName()]
		if their == nil {
			t.Errorf("%s is none of client_golang's", f.GetName())
			continue
		}
		a, b := f.Metric[0], their.Metric[0]
		if f.GetHelp() != their.GetHelp() || f.GetType() != their.GetType() || len(their.Metric) != 1 ||
			len(a.Label) != len(b.Label) {
			t.Errorf("got %v, want %v", f, their)
			continue
		}
		for i := range a.Label {
			if a.Label[i].GetName() != b.Label[i].GetName() || a.Label[i].GetValue() != b.Label[i].GetValue() {
				t.Errorf("got %v, want %v", a, b)
			}
		}
		got, want := a.GetGauge().GetValue()+a.GetCounter().GetValue(), b.GetGauge().GetValue()+b.GetCounter().GetValue()
		if math.Abs(got-want) > within[f.GetName()] || got == 0 && want != 0 {
			t.Errorf("%s is %v, by client_golang %v", f.GetName(), got, want)
		}
	}
}
