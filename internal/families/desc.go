// SPDX-License-Identifier: Apache-2.0

package families

import (
	"cmp"

	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/internal/order"
)

// Desc is all of a metric but its series. It is never changed.
type Desc struct {
	name, help *string
	kind       *dto.MetricType
	labels     []label // ascending by name, as series have them
}

// label is a label of a metric: the value of a series that stands in a place.
type label struct {
	name  *string
	place int
}

// NewDesc returns that of a counter or a gauge with labels, whose values series have in the
// same order. Names must be valid ones, and those of the labels differ.
func NewDesc(name, help string, kind dto.MetricType, labels ...string) *Desc {
	d := &Desc{name: &name, help: &help, kind: kind.Enum()}
	for place, name := range labels {
		d.labels = append(d.labels, label{&name, place})
	}
	order.By(d.labels, func(a, b label) int { return cmp.Compare(*a.name, *b.name) })
	return d
}
