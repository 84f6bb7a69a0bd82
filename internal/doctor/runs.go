// SPDX-License-Identifier: Apache-2.0

package doctor

import "github.com/landlockd/landlockd/internal/runs/trace"

// checkRuns reports whether processes that end can be counted here. It opens what the daemon
// would, and changes nothing.
func checkRuns(h *host, say say) {
	if h.iteratorErr != nil {
		say(note, "runs", "what ends between two scans is not counted: that takes the task iterator")
		return
	}
	_, files, err := trace.Open(h.types, h.iterator.Layout())
	if err != nil {
		say(note, "runs", "what ends between two scans is not counted: %s; it takes Linux 5.17, and "+
			"that neither lockdown nor a security module forbids BPF at tracepoints; all else works "+
			"without", err)
		return
	}
	for _, file := range files {
		file.Close()
	}
	say(ok, "runs", "what ends between two scans is counted, by the kernel's tracepoints")
}
