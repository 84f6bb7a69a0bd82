// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/scan"
)

// identity compares what says who a process is.
func (c *comparison) identity(got *scan.Process, want *Process) {
	pid := want.PID
	equal(c, pid, 0, "PPID", got.PPID, want.PPID)
	equal(c, pid, 0, "comm", got.Comm.String(), want.Comm)
	equal(c, pid, 0, "executable", got.Exe, want.Exe)
	equal(c, pid, 0, "UID", got.UID, want.UID)
	equal(c, pid, 0, "user namespace", got.UserNS, want.UserNS)
	c.born(pid, 0, got.Start, want.BornFrom, want.BornTo)

	// These belong to a thread, and a snapshot has one for the process: it
	// must be that of some live thread, so it is exact where all agree.
	nnp, seccomp := map[bool]bool{}, map[uint8]bool{}
	for _, t := range want.Tasks {
		nnp[t.NoNewPrivs], seccomp[t.Seccomp] = true, true
	}
	if !nnp[got.NoNewPrivs] {
		c.add(pid, 0, "no_new_privs", got.NoNewPrivs, !got.NoNewPrivs)
	}
	if !seccomp[got.Seccomp] {
		c.add(pid, 0, "seccomp", got.Seccomp, fmt.Sprintf("%d, as in every thread", want.Tasks[0].Seccomp))
	}
}

func (c *comparison) born(pid, tid int32, got, from, to uint64) {
	if unit := uint64(c.cfg.StartUnit); unit > 0 {
		from -= from % unit
	}
	if got < from || got > to {
		c.add(pid, tid, "start", got, fmt.Sprintf("between %d and %d", from, to))
	}
}
