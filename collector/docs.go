// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Type is the type of a metric as the exposition formats write it.
type Type string

const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
)

func (t Type) valueType() prometheus.ValueType {
	if t == Counter {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}

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

// Docs returns every metric of this package, in the order in which people read
// them. The result is the caller's.
func Docs() []Doc {
	docs := slices.Clone(table[:])
	for i := range docs {
		docs[i].Labels = slices.Clone(docs[i].Labels)
	}
	return docs
}

// descs are the descriptors of the table. They are made once, because making
// them costs more than collecting, and are never written again.
var descs = func() (d [numMetrics]*prometheus.Desc) {
	for id, doc := range table {
		names := make([]string, len(doc.Labels))
		for i, l := range doc.Labels {
			names[i] = l.Name
		}
		d[id] = prometheus.NewDesc(doc.Name, doc.Help, names, nil)
	}
	return d
}()
