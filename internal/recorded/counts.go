// SPDX-License-Identifier: Apache-2.0

package recorded

import "github.com/landlockd/landlockd/scan"

// countsJSON follows from the rest: it is written only.
type countsJSON struct {
	Workloads        *statesJSON    `json:"workloads"`
	WorkloadCoverage *float64       `json:"workload_coverage"`
	Processes        statesJSON     `json:"processes"`
	Threads          statesJSON     `json:"threads"`
	UnknownProcesses map[string]int `json:"unknown_processes"`
	ProcessCoverage  *float64       `json:"process_coverage"`
	Domains          int            `json:"domains"`
	MaxDepth         int            `json:"max_depth"`
	DepthExact       bool           `json:"depth_exact"`
	// These are counted where it is certain.
	IneffectiveProcesses   int  `json:"ineffective_processes"`
	IneffectiveWorkloads   *int `json:"ineffective_workloads"`
	ProcessesOutsideWorker int  `json:"processes_outside_worker"`
}

type statesJSON struct {
	Total     int `json:"total"`
	Sandboxed int `json:"sandboxed"`
	// Partial is nil of threads: none is.
	Partial     *int `json:"partial,omitempty"`
	Unsandboxed int  `json:"unsandboxed"`
	Unknown     int  `json:"unknown"`
}

func newStatesJSON(n scan.ByState) *statesJSON {
	return &statesJSON{n.Total(), n[scan.Sandboxed], &n[scan.Partial], n[scan.Unsandboxed],
		n[scan.Unknown]}
}

func newCountsJSON(s *scan.Snapshot) *countsJSON {
	c := s.Count()
	j := &countsJSON{
		Processes:        *newStatesJSON(c.Processes),
		ProcessCoverage:  coverage(c.Processes),
		Threads:          *newStatesJSON(c.Threads),
		UnknownProcesses: map[string]int{},
		Domains:          len(s.Domains),
		MaxDepth:         c.MaxDepth,
		DepthExact:       c.DepthExact,

		IneffectiveProcesses: c.Ineffective, ProcessesOutsideWorker: c.OutsideWorkers,
	}
	j.Threads.Partial = nil
	for _, r := range scan.Reasons() {
		j.UnknownProcesses[r.String()] = c.Reasons[r]
	}
	if all := s.ByWorkload(); all != nil {
		workloads, ineffective := scan.CountWorkloads(all)
		j.Workloads, j.WorkloadCoverage = newStatesJSON(workloads), coverage(workloads)
		j.IneffectiveWorkloads = &ineffective
	}
	return j
}

// coverage is nil where nothing is known.
func coverage(n scan.ByState) *float64 {
	if share, known := n.Coverage(); known {
		return &share
	}
	return nil
}
