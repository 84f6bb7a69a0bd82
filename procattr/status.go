// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// status is what a status file shows of one task in one instant.
type status struct {
	// uid is the effective user ID.
	uid       uint32
	hardening scan.Hardening
}

// parseStatus reads the lines Uid, NoNewPrivs (Linux 4.10) and Seccomp of a
// status file. It reports false if one of them is missing or holds no number.
func parseStatus(text procdir.Status) (s status, ok bool) {
	const effective = 1
	uid, okU := text.Number("Uid", effective)
	nnp, okN := text.Number("NoNewPrivs", 0)
	sec, okS := text.Number("Seccomp", 0)
	s = status{uid: uid, hardening: scan.SeccompMode(min(sec, 2))}
	if nnp == 1 {
		s.hardening |= scan.NoNewPrivs
	}
	return s, okU && okN && okS
}

// parseCgroup returns the paths of a process in the hierarchies that workloads are named
// in, as the lines have them; nil where there is none. The v1 hierarchy has a number,
// unless that is 0.
func parseCgroup(b cgroupfs.Lines, number uint32) (v2, v1 []byte) {
	for l := range b.All {
		switch {
		case l.ID == 0 && len(l.Controllers) == 0:
			v2 = l.Path
		case l.ID != 0 && l.ID == number:
			v1 = l.Path
		}
	}
	return v2, v1
}
