// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/untrusted"
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
	KernelRelease untrusted.Text    `json:"kernel_release"`
	Landlock      scan.Availability `json:"landlock"`
	ABI           int               `json:"abi"`
	NestingLimit  int               `json:"nesting_limit"`
	// Rights are those that this kernel can restrict for certain, RightsUnknown
	// those of which it is not known.
	Rights        *rightsJSON `json:"rights"`
	RightsUnknown *rightsJSON `json:"rights_unknown"`
	// Errata has a bit for each fix that this kernel has.
	Errata *mask `json:"errata"`
	// WaysPast are ways past a right that are open, and WaysPastUnknown those of
	// which it is not known.
	WaysPast        []string `json:"ways_past"`
	WaysPastUnknown []string `json:"ways_past_unknown"`
}

func newHostJSON(s *scan.Snapshot) hostJSON {
	k := &s.Kernel
	j := hostJSON{
		KernelRelease:   untrusted.Text(k.Release),
		Landlock:        k.Landlock,
		ABI:             k.ABI,
		NestingLimit:    k.NestingLimit(),
		Rights:          newRightsJSON(k.Rights.Sure),
		RightsUnknown:   newRightsJSON(k.Rights.Unknown()),
		WaysPast:        wayNames(k.Ways),
		WaysPastUnknown: wayNames(k.WaysUnknown),
	}
	if k.ErrataKnown {
		errata := mask(k.Errata)
		j.Errata = &errata
	}
	return j
}

type scanJSON struct {
	Time     string      `json:"time"`
	Uptime   nanoseconds `json:"uptime"`
	Duration nanoseconds `json:"duration"`
	Tasks    int         `json:"tasks"`
	Passes   int         `json:"passes"`
	// DomainsUnread are those that budgets left out.
	DomainsUnread int `json:"domains_unread"`
}

func newScanJSON(s *scan.Snapshot) scanJSON {
	return scanJSON{
		Time:     s.Time.UTC().Format(time.RFC3339Nano),
		Uptime:   nanoseconds(max(0, s.Uptime)),
		Duration: nanoseconds(max(0, s.Duration)),
		Tasks:    s.TasksRead,
		Passes:   s.Passes,

		DomainsUnread: s.DomainsUnread,
	}
}

type countsJSON struct {
	Workloads        *processCountsJSON `json:"workloads"`
	WorkloadCoverage *float64           `json:"workload_coverage"`
	Processes        processCountsJSON  `json:"processes"`
	Threads          threadCountsJSON   `json:"threads"`
	UnknownProcesses map[string]int     `json:"unknown_processes"`
	ProcessCoverage  *float64           `json:"process_coverage"`
	Domains          int                `json:"domains"`
	MaxDepth         int                `json:"max_depth"`
	DepthExact       bool               `json:"depth_exact"`
	// These are counted where it is certain.
	IneffectiveProcesses   int  `json:"ineffective_processes"`
	IneffectiveWorkloads   *int `json:"ineffective_workloads"`
	ProcessesOutsideWorker int  `json:"processes_outside_worker"`
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
		Processes:       newProcessCountsJSON(c.Processes),
		ProcessCoverage: c.Processes.coverage(),
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

		IneffectiveProcesses: c.IneffectiveProcesses, ProcessesOutsideWorker: c.OutsideWorkers,
	}
	for _, r := range scan.Reasons() {
		j.UnknownProcesses[r.String()] = c.Reasons[r]
	}
	if c.Workloads != nil {
		workloads := newProcessCountsJSON(*c.Workloads)
		j.Workloads, j.WorkloadCoverage = &workloads, c.Workloads.coverage()
		j.IneffectiveWorkloads = &c.IneffectiveWorkloads
	}
	return j
}

func newProcessCountsJSON(c ByState) processCountsJSON {
	return processCountsJSON{
		Total:       c.Total(),
		Sandboxed:   c.Of(scan.Sandboxed),
		Partial:     c.Of(scan.Partial),
		Unsandboxed: c.Of(scan.Unsandboxed),
		Unknown:     c.Of(scan.Unknown),
	}
}

// coverage is nil if that would divide by 0.
func (c ByState) coverage() *float64 {
	known := c.Known()
	if known == 0 {
		return nil
	}
	coverage := float64(c.Of(scan.Sandboxed)) / float64(known)
	return &coverage
}

// wayNames returns ways past a right, "net.connect_tcp by mptcp".
func wayNames(ways access.Ways) []string {
	all := ways.All()
	names := make([]string, len(all))
	for i, w := range all {
		names[i] = w.String()
	}
	return names
}
