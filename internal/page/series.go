// SPDX-License-Identifier: Apache-2.0

package page

import dto "github.com/prometheus/client_model/go"

// point is one series.
type point struct {
	value  float64
	labels map[string]string
}

// series are those of one scrape, by the metric's name.
type series map[string][]point

func newSeries(families []*dto.MetricFamily) series {
	all := make(series, len(families))
	for _, f := range families {
		for _, m := range f.GetMetric() {
			p := point{labels: map[string]string{}}
			for _, l := range m.GetLabel() {
				p.labels[l.GetName()] = l.GetValue()
			}
			// It has one of them.
			p.value = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			all[f.GetName()] = append(all[f.GetName()], p)
		}
	}
	return all
}

// one returns the value of a metric that has one series; false if it is not there.
func (s series) one(name string) (float64, bool) {
	if len(s[name]) == 0 {
		return 0, false
	}
	return s[name][0].value, true
}

// count is one of a metric of which none is 0.
func (s series) count(name string) int {
	n, _ := s.one(name)
	return int(n)
}

// info returns the labels of a metric whose value is always 1.
func (s series) info(name string) map[string]string {
	if len(s[name]) == 0 {
		return nil
	}
	return s[name][0].labels
}

// group is what the series of a metric that agree in one label come to, by another one's words.
type group struct {
	name string
	n    map[string]int
}

// groups returns a metric's series by the label that names them, in the order in which they come.
func (s series) groups(metric, by, word string) []group {
	var all []group
	at := map[string]int{}
	for _, p := range s[metric] {
		name := p.labels[by]
		i, ok := at[name]
		if !ok {
			i = len(all)
			at[name], all = i, append(all, group{name, map[string]int{}})
		}
		all[i].n[p.labels[word]] += int(p.value)
	}
	return all
}

// counts returns a metric's series by a label.
func (s series) counts(metric, word string) map[string]int {
	n := map[string]int{}
	for _, p := range s[metric] {
		n[p.labels[word]] += int(p.value)
	}
	return n
}
