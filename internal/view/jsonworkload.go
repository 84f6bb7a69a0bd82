// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type workloadJSON struct {
	Name      untrusted.Text    `json:"name"`
	FullName  untrusted.Text    `json:"full_name"`
	Kind      scan.WorkloadKind `json:"kind"`
	Unit      *untrusted.Text   `json:"unit"`
	Slice     *untrusted.Text   `json:"slice"`
	Cgroup    *untrusted.Text   `json:"cgroup"`
	Delegated bool              `json:"delegated"`
	Container *containerJSON    `json:"container"`
}

type containerJSON struct {
	ID        *untrusted.Text `json:"id"`
	Runtime   *untrusted.Text `json:"runtime"`
	Namespace *untrusted.Text `json:"namespace"`
	Pod       *untrusted.Text `json:"pod"`
	PodUID    *untrusted.Text `json:"pod_uid"`
	Name      *untrusted.Text `json:"name"`
	Unnamed   bool            `json:"unnamed"`
}

func newWorkloadJSON(w *scan.Workload) workloadJSON {
	j := workloadJSON{
		Name:      untrusted.Text(w.Name),
		FullName:  untrusted.Text(w.FullName),
		Kind:      w.Kind,
		Unit:      untrusted.OrNull(w.Unit),
		Slice:     untrusted.OrNull(w.Slice),
		Cgroup:    untrusted.OrNull(w.Cgroup),
		Delegated: w.Delegated,
	}
	if c := w.Container; c != nil {
		j.Container = &containerJSON{
			ID:        untrusted.OrNull(c.ID),
			Runtime:   untrusted.OrNull(c.Runtime),
			Namespace: untrusted.OrNull(c.Namespace),
			Pod:       untrusted.OrNull(c.Pod),
			PodUID:    untrusted.OrNull(c.PodUID),
			Name:      untrusted.OrNull(c.Name),
			Unnamed:   c.Unnamed,
		}
	}
	return j
}

func (e *encoder) workloads(s *scan.Snapshot) {
	e.list("workloads", func(yield func(any) bool) {
		for i := range s.Workloads {
			if !yield(newWorkloadJSON(&s.Workloads[i])) {
				return
			}
		}
	})
}
