// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"path/filepath"

	"github.com/landlockd/landlockd/internal/workload"
)

// checkWorkloads reports what processes are grouped by.
func checkWorkloads(h *host, say say) {
	r := workload.Open(workload.Options{
		ProcFS: h.o.ProcFS, CgroupFS: filepath.Join(h.o.SysFS, "fs/cgroup"),
	})
	defer r.Close()
	if limits := r.Limits(); limits != "" {
		say(note, "workloads", "are named after executables: their cgroups cannot be found: %s", limits)
		return
	}
	say(ok, "workloads", "are named after units and containers, by their cgroups")
}
