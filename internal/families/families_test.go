// SPDX-License-Identifier: Apache-2.0

package families_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/internal/families"
)

// table is some metrics, both as a registry collects them and as families are made of them.
type table struct {
	names, helps []string
	kinds        []dto.MetricType
	labels       [][]string
	series       [][]series
}

type series struct {
	value  float64
	labels []string
}

// random returns tables with names and values that sort in no easy order.
func random(rnd *rand.Rand) (t table) {
	names := []string{"b", "a", "a_b", "aa", "ab_total", "z", "A"}
	rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	t.names = names[:rnd.IntN(len(names)+1)]
	for _, name := range t.names {
		t.helps = append(t.helps, fmt.Sprint("help ", rnd.IntN(3), "\n\\\""))
		kind := dto.MetricType_GAUGE
		if strings.HasSuffix(name, "_total") {
			kind = dto.MetricType_COUNTER
		}
		t.kinds = append(t.kinds, kind)
		labels := []string{"x", "b", "a", "le"}
		rnd.Shuffle(len(labels), func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
		t.labels = append(t.labels, labels[:rnd.IntN(len(labels)+1)])
		t.series = append(t.series, randomSeries(rnd, len(t.labels[len(t.labels)-1])))
	}
	return t
}

func randomSeries(rnd *rand.Rand, labels int) (all []series) {
	seen := map[string]bool{}
	for range rnd.IntN(400) {
		s := series{value: []float64{0, 1, -2.5, math.Inf(1), 1e300, 12345678}[rnd.IntN(6)]}
		for range labels {
			s.labels = append(s.labels, []string{"", "a", "\u00e4", "a\nb", "\"", "z", "\U0001f512"}[rnd.IntN(7)])
		}
		if key := strings.Join(s.labels, "\xff"); !seen[key] {
			seen[key] = true
			all = append(all, s)
		}
	}
	return all
}

func (t *table) Describe(chan<- *prometheus.Desc) {}

func (t *table) Collect(ch chan<- prometheus.Metric) {
	for i, name := range t.names {
		desc := prometheus.NewDesc(name, t.helps[i], t.labels[i], nil)
		kind := prometheus.GaugeValue
		if t.kinds[i] == dto.MetricType_COUNTER {
			kind = prometheus.CounterValue
		}
		for _, s := range t.series[i] {
			ch <- prometheus.MustNewConstMetric(desc, kind, s.value, s.labels...)
		}
	}
}

func (t *table) make(m *families.Memory) ([]*dto.MetricFamily, error) {
	m.Reset()
	for i, name := range t.names {
		m.Begin(families.NewDesc(name, t.helps[i], t.kinds[i], t.labels[i]...))
		for _, s := range t.series[i] {
			m.Add(s.value, s.labels...)
		}
	}
	return m.Families()
}

// In the same memory, again and again, comes what a registry gathers.
func TestAsARegistry(t *testing.T) {
	var m families.Memory
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		tab := random(rnd)
		reg := prometheus.NewRegistry()
		reg.MustRegister(&tab)
		want, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got, err := tab.make(&m)
		if err != nil {
			t.Fatal(err)
		}
		equal := func(a, b *dto.MetricFamily) bool { return a.String() == b.String() }
		if !slices.EqualFunc(got, want, equal) {
			t.Fatalf("round %d: got\n%v\nwant\n%v", round, got, want)
		}
	}
}

// Of what comes twice the first counts, and it is an error, as of a registry.
func TestTwice(t *testing.T) {
	var m families.Memory
	m.Begin(families.NewDesc("a", "h", dto.MetricType_GAUGE, "l"))
	m.Add(1, "y")
	m.Add(2, "x")
	m.Add(3, "y")
	all, err := m.Families()
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error %v", err)
	}
	if n := len(all[0].Metric); n != 2 || all[0].Metric[1].Gauge.GetValue() != 1 {
		t.Errorf("%v", all)
	}
	m.Reset()
	if all, err := m.Families(); len(all) != 0 || err != nil {
		t.Errorf("after a reset: %v, %v", all, err)
	}
}

func TestAllocatesNothing(t *testing.T) {
	var m families.Memory
	desc := families.NewDesc("a", "h", dto.MetricType_COUNTER, "l", "k")
	labels := [][2]string{}
	for i := range 1000 {
		labels = append(labels, [2]string{fmt.Sprint(i), "k"})
	}
	scrape := func() {
		m.Reset()
		m.Begin(desc)
		for i := range labels {
			m.Add(1, labels[i][:]...)
		}
		_, _ = m.Families()
	}
	if n := testing.AllocsPerRun(10, scrape); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
