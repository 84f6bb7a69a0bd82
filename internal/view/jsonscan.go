// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// nanoseconds are written as a decimal number of seconds with all nine digits.
type nanoseconds uint64

// MarshalJSON encodes the number.
func (n nanoseconds) MarshalJSON() ([]byte, error) {
	const second = uint64(time.Second)
	return fmt.Appendf(nil, "%d.%09d", uint64(n)/second, uint64(n)%second), nil
}

type hostJSON struct {
	KernelRelease hostile           `json:"kernel_release"`
	Landlock      scan.Availability `json:"landlock"`
	ABI           int               `json:"abi"`
	NestingLimit  int               `json:"nesting_limit"`
}

func newHostJSON(s *scan.Snapshot) hostJSON {
	return hostJSON{
		KernelRelease: hostile(s.Kernel.Release),
		Landlock:      s.Kernel.Landlock,
		ABI:           s.Kernel.ABI,
		NestingLimit:  s.Kernel.NestingLimit(),
	}
}

type scanJSON struct {
	Time     string      `json:"time"`
	Duration nanoseconds `json:"duration"`
	Tasks    int         `json:"tasks"`
	Passes   int         `json:"passes"`
}

func newScanJSON(s *scan.Snapshot) scanJSON {
	return scanJSON{
		Time:     s.Time.UTC().Format(time.RFC3339Nano),
		Duration: nanoseconds(max(0, s.Duration)),
		Tasks:    s.TasksRead,
		Passes:   s.Passes,
	}
}

type countsJSON struct {
	Processes        processCountsJSON `json:"processes"`
	Threads          threadCountsJSON  `json:"threads"`
	UnknownProcesses map[string]int    `json:"unknown_processes"`
	ProcessCoverage  *float64          `json:"process_coverage"`
	Domains          int               `json:"domains"`
	MaxDepth         int               `json:"max_depth"`
	DepthExact       bool              `json:"depth_exact"`
}

type processCountsJSON struct {
	Total       int `json:"total"`
	Sandboxed   int `json:"sandboxed"`
	Partial     int `json:"partial"`
	Unsandboxed int `json:"unsandboxed"`
	Unknown     int `json:"unknown"`
}

type threadCountsJSON struct {
	Total       int `json:"total"`
	Sandboxed   int `json:"sandboxed"`
	Unsandboxed int `json:"unsandboxed"`
	Unknown     int `json:"unknown"`
}

func newCountsJSON(c Counts) countsJSON {
	j := countsJSON{
		Processes: processCountsJSON{
			Total:       c.Processes.Total(),
			Sandboxed:   c.Processes.Of(scan.Sandboxed),
			Partial:     c.Processes.Of(scan.Partial),
			Unsandboxed: c.Processes.Of(scan.Unsandboxed),
			Unknown:     c.Processes.Of(scan.Unknown),
		},
		Threads: threadCountsJSON{
			Total:       c.Threads.Total(),
			Sandboxed:   c.Threads.Of(scan.Sandboxed),
			Unsandboxed: c.Threads.Of(scan.Unsandboxed),
			Unknown:     c.Threads.Of(scan.Unknown),
		},
		UnknownProcesses: map[string]int{},
		Domains:          c.Domains,
		MaxDepth:         c.MaxDepth,
		DepthExact:       c.DepthExact,
	}
	for _, r := range scan.Reasons() {
		j.UnknownProcesses[r.String()] = c.Reasons[r]
	}
	if known := c.Processes.Known(); known > 0 {
		coverage := float64(c.Processes.Of(scan.Sandboxed)) / float64(known)
		j.ProcessCoverage = &coverage
	}
	return j
}
