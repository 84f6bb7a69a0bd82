// SPDX-License-Identifier: Apache-2.0

package view

import "github.com/landlockd/landlockd/scan"

type workloadJSON struct {
	Name      hostile           `json:"name"`
	FullName  hostile           `json:"full_name"`
	Kind      scan.WorkloadKind `json:"kind"`
	Unit      *hostile          `json:"unit"`
	Slice     *hostile          `json:"slice"`
	Cgroup    *hostile          `json:"cgroup"`
	Delegated bool              `json:"delegated"`
	Container *containerJSON    `json:"container"`
}

type containerJSON struct {
	ID        *hostile `json:"id"`
	Runtime   *hostile `json:"runtime"`
	Namespace *hostile `json:"namespace"`
	Pod       *hostile `json:"pod"`
	PodUID    *hostile `json:"pod_uid"`
	Name      *hostile `json:"name"`
	Unnamed   bool     `json:"unnamed"`
}

func newWorkloadJSON(w *scan.Workload) workloadJSON {
	j := workloadJSON{
		Name:      hostile(w.Name),
		FullName:  hostile(w.FullName),
		Kind:      w.Kind,
		Unit:      unlessZero(hostile(w.Unit)),
		Slice:     unlessZero(hostile(w.Slice)),
		Cgroup:    unlessZero(hostile(w.Cgroup)),
		Delegated: w.Delegated,
	}
	if c := w.Container; c != nil {
		j.Container = &containerJSON{
			ID:        unlessZero(hostile(c.ID)),
			Runtime:   unlessZero(hostile(c.Runtime)),
			Namespace: unlessZero(hostile(c.Namespace)),
			Pod:       unlessZero(hostile(c.Pod)),
			PodUID:    unlessZero(hostile(c.PodUID)),
			Name:      unlessZero(hostile(c.Name)),
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
