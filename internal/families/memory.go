// SPDX-License-Identifier: Apache-2.0

package families

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// Memory is what families are made in. The zero value is ready to use. It is not safe for
// concurrent use.
type Memory struct {
	families slab[dto.MetricFamily]
	rows     slab[row]
	pairs    slab[dto.LabelPair]
	texts    slab[string]
	lists    slab[*dto.LabelPair]
	metrics  slab[*dto.Metric]

	all   []*dto.MetricFamily
	desc  *Desc         // of the family that is being made
	added []*dto.Metric // to it
	errs  []error
}

// row is one series with all that its message points to.
type row struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
}

// Reset begins anew. What was made before must not be used any more.
func (m *Memory) Reset() {
	m.families.reset()
	m.rows.reset()
	m.pairs.reset()
	m.texts.reset()
	m.lists.reset()
	m.metrics.reset()
	m.all, m.desc, m.added, m.errs = m.all[:0], nil, m.added[:0], nil
}

// Begin begins a family. No two may have the same name.
func (m *Memory) Begin(d *Desc) {
	m.finish()
	m.desc = d
}

// Add adds a series to the family that was begun. Values of labels must be UTF-8.
func (m *Memory) Add(value float64, labels ...string) {
	d := m.desc
	r := &m.rows.take(1)[0]
	r.value = value
	r.metric.Gauge, r.metric.Counter = nil, nil
	if *d.kind == dto.MetricType_COUNTER {
		r.counter.Value = &r.value
		r.metric.Counter = &r.counter
	} else {
		r.gauge.Value = &r.value
		r.metric.Gauge = &r.gauge
	}
	n := len(d.labels)
	pairs, texts := m.pairs.take(n), m.texts.take(n)
	r.metric.Label = m.lists.take(n)
	for i, l := range d.labels {
		texts[i] = labels[l.place]
		pairs[i].Name, pairs[i].Value = l.name, &texts[i]
		r.metric.Label[i] = &pairs[i]
	}
	m.added = append(m.added, &r.metric)
}

// Fail adds an error to those that Families returns.
func (m *Memory) Fail(err error) { m.errs = append(m.errs, err) }

// Families returns the families that have series, ascending by name, each with its series
// ascending by the values of their labels; and an error if a series came twice, of which the
// first counts, or if something failed. They are valid until Reset.
func (m *Memory) Families() ([]*dto.MetricFamily, error) {
	m.finish()
	slices.SortFunc(m.all, func(a, b *dto.MetricFamily) int { return cmp.Compare(*a.Name, *b.Name) })
	return m.all, errors.Join(m.errs...)
}

// finish ends the family that was begun, if there is one.
func (m *Memory) finish() {
	if len(m.added) == 0 {
		return
	}
	if !slices.IsSortedFunc(m.added, compare) {
		slices.SortStableFunc(m.added, compare)
	}
	f := &m.families.take(1)[0]
	f.Name, f.Help, f.Type = m.desc.name, m.desc.help, m.desc.kind
	f.Metric = m.metrics.take(len(m.added))[:0]
	for i, metric := range m.added {
		if i > 0 && compare(f.Metric[len(f.Metric)-1], metric) == 0 {
			m.errs = append(m.errs, fmt.Errorf(
				"%s { %s} came twice with the same values of labels", *f.Name, metric))
			continue
		}
		f.Metric = append(f.Metric, metric)
	}
	m.all, m.added = append(m.all, f), m.added[:0]
}

// compare orders two series of a family by the values of their labels.
func compare(a, b *dto.Metric) int {
	for i, pair := range a.Label {
		if c := cmp.Compare(*pair.Value, *b.Label[i].Value); c != 0 {
			return c
		}
	}
	return 0
}
