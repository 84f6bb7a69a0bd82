// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// checkScan scans, and compares what came with what procfs shows.
func checkScan(h *host) []finding {
	var src scan.Source
	switch {
	case h.iterator != nil:
		src = h.iterator
	case h.attribute != nil:
		src = h.attribute
	default:
		return nil // that is a failure already
	}
	before := userProcesses(h.o.ProcFS)
	snap, err := src.Scan(context.Background())
	if err != nil {
		return []finding{{fail, "scan", err.Error()}}
	}
	after := userProcesses(h.o.ProcFS)
	found := []finding{{ok, "scan", fmt.Sprintf("%s (%s)", tree.Summary(snap), snap.Duration.Round(time.Microsecond))}}
	if left := tree.Unread(snap); left != "" {
		found = append(found, finding{note, "scan", left})
	}
	var missing []string
	for pid, start := range before {
		if after[pid] == start && snap.Find(int32(pid)) == nil {
			missing = append(missing, fmt.Sprint(pid))
		}
	}
	if len(missing) == 0 {
		return append(found, finding{ok, "compared to procfs", fmt.Sprintf("all %d processes below %s were found", len(before), h.o.ProcFS)})
	}
	const show = 5
	list := strings.Join(missing[:min(show, len(missing))], ", ")
	if len(missing) > show {
		list += ", ..."
	}
	return append(found, finding{note, "compared to procfs", fmt.Sprintf(
		"the kernel leaves out %d of the processes below %s (%s): nothing is known of those, and they are counted nowhere", len(missing), h.o.ProcFS, list)})
}

// userProcesses returns the start times of all processes that procfs shows, without
// kernel threads and zombies, by PID.
func userProcesses(proc string) map[int]uint64 {
	found := map[int]uint64{}
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return found
	}
	all, err := fs.AllProcs()
	if err != nil {
		return found
	}
	const pfKthread = 0x00200000
	for _, p := range all {
		st, err := p.Stat()
		if err == nil && st.Flags&pfKthread == 0 && st.State != "Z" && st.State != "X" {
			found[p.PID] = st.Starttime
		}
	}
	return found
}
