// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// checkScan scans, and compares what came with what procfs shows.
func checkScan(h *host, say say) {
	var src scan.Source
	switch {
	case h.iterator != nil:
		src = h.iterator
	case h.attribute != nil:
		src = h.attribute
	default:
		return // that is a failure already
	}
	before := userProcesses(h.o.ProcFS)
	snap, err := src.Scan(context.Background())
	if err != nil {
		say(fail, "scan", "%s", err)
		return
	}
	after := userProcesses(h.o.ProcFS)
	say(ok, "scan", "%s (%s)", tree.Summary(snap), snap.Duration.Round(time.Microsecond))
	if left := tree.Unread(snap); left != "" {
		say(note, "scan", "%s", left)
	}
	var missing []string
	for pid, start := range before {
		if after[pid] == start && snap.Find(int32(pid)) == nil {
			missing = append(missing, strconv.Itoa(pid))
		}
	}
	if len(missing) == 0 {
		say(ok, "compared to procfs", "all %d processes below %s were found", len(before), h.o.ProcFS)
		return
	}
	const show = 5
	list := strings.Join(missing[:min(show, len(missing))], ", ")
	if len(missing) > show {
		list += ", ..."
	}
	say(note, "compared to procfs", "the kernel leaves out %d of the processes below %s (%s): "+
		"nothing is known of those, and they are counted nowhere", len(missing), h.o.ProcFS, list)
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
