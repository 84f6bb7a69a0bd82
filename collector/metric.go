// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/internal/families"
)

// Type is the type of a metric as the exposition formats write it.
type Type string

const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
)

// Doc describes one metric to people.
type Doc struct {
	Name string
	Type Type
	// Help is the HELP text: sentences.
	Help   string
	Labels []Label
	// Present says which series are there, and when.
	Present string
}

// Label is one label of a metric.
type Label struct {
	Name string
	// Values says what its values are.
	Values string
}

// countKey is what is counted of a snapshot here: see [scan.CountOnce].
type countKey uint8

const (
	hardenedKey countKey = iota
	restrictedKey
	unresolvedKey
)

// emitter exports one series of a metric: its value, and the values of its labels, which
// may be hostile.
type emitter func(value float64, labels ...string)

// metric is one metric over some data: all that there is to it. One whose name ends in
// _total is a counter. See [Doc] for the others.
type metric[T any] struct {
	name, help string
	labels     []Label
	present    string
	// values emits its series; none, where it is not present.
	values func(*T, emitter)
}

func (m *metric[T]) kind() (Type, prometheus.ValueType) {
	if strings.HasSuffix(m.name, "_total") {
		return Counter, prometheus.CounterValue
	}
	return Gauge, prometheus.GaugeValue
}

// table is the metrics of one view of a scrape. It is never changed.
type table[T any] struct {
	// of returns what the metrics are computed from; nil leaves them all out.
	of      func(*Scrape) *T
	metrics []metric[T]
	// descs are made once, because making them costs more than collecting, and so are
	// families, for who gathers without a registry.
	descs    []*prometheus.Desc
	families []*families.Desc
}

func newTable[T any](of func(*Scrape) *T, metrics []metric[T]) *table[T] {
	t := &table[T]{of: of, metrics: metrics, descs: make([]*prometheus.Desc, len(metrics))}
	kinds := map[Type]dto.MetricType{Gauge: dto.MetricType_GAUGE, Counter: dto.MetricType_COUNTER}
	for i, m := range metrics {
		names := make([]string, len(m.labels))
		for l := range names {
			names[l] = m.labels[l].Name
		}
		t.descs[i] = prometheus.NewDesc(m.name, m.help, names, nil)
		kind, _ := m.kind()
		t.families = append(t.families, families.NewDesc(m.name, m.help, kinds[kind], names...))
	}
	return t
}

func (t *table[T]) docs() []Doc {
	docs := make([]Doc, len(t.metrics))
	for i, m := range t.metrics {
		kind, _ := m.kind()
		docs[i] = Doc{m.name, kind, m.help, slices.Clone(m.labels), m.present}
	}
	return docs
}

func (t *table[T]) describe(ch chan<- *prometheus.Desc) {
	for _, d := range t.descs {
		ch <- d
	}
}

func (t *table[T]) collect(s *Scrape, ch chan<- prometheus.Metric) {
	data := t.of(s)
	if data == nil {
		return
	}
	for i := range t.metrics {
		m := &t.metrics[i]
		_, kind := m.kind()
		m.values(data, func(value float64, labels ...string) {
			cleanAll(labels)
			ch <- prometheus.MustNewConstMetric(t.descs[i], kind, value, labels...)
		})
	}
}

func (t *table[T]) addTo(to *families.Memory, s *Scrape) {
	data := t.of(s)
	if data == nil {
		return
	}
	add := func(value float64, labels ...string) {
		cleanAll(labels)
		to.Add(value, labels...)
	}
	for i := range t.metrics {
		to.Begin(t.families[i])
		t.metrics[i].values(data, add)
	}
}

func cleanAll(labels []string) {
	for l := range labels {
		labels[l] = clean(labels[l])
	}
}

// clean returns s as a label value. The exposition formats forbid what is not
// UTF-8, and Prometheus takes a NUL for the end of the whole response.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// emitIf emits the one series of a metric, if it is there.
func emitIf[N int | uint64](emit emitter, present bool, n N) {
	if present {
		emit(float64(n))
	}
}

// emitMap emits a series for each value of the one label.
func emitMap[N int | uint64](emit emitter, byLabel map[string]N) {
	for label, n := range byLabel {
		emit(float64(n), label)
	}
}
