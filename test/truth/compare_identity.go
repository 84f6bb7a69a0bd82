// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"maps"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// identity compares what says who a process is.
func (c *comparison) identity(got *scan.Process, want *Process) {
	pid := want.PID
	equal(c, pid, 0, "PPID", got.PPID, want.PPID)
	equal(c, pid, 0, "comm", got.Comm.String(), want.Comm)
	equal(c, pid, 0, "executable", got.Exe, want.Exe)
	c.users(got, want)
	equal(c, pid, 0, "user namespace", got.UserNS, want.UserNS)
	c.born(pid, 0, got.Start, want.BornFrom, want.BornTo)

	var nnp, seccomp int
	for _, t := range want.Tasks {
		if t.NoNewPrivs {
			nnp++
		}
		if t.Seccomp != 0 {
			seccomp++
		}
	}
	equal(c, pid, 0, "no_new_privs", got.NoNewPrivs, extent(nnp, len(want.Tasks)))
	equal(c, pid, 0, "seccomp", got.Seccomp, extent(seccomp, len(want.Tasks)))
}

// users compares who the threads are. The process is who its leader is, or one of
// those that live.
func (c *comparison) users(got *scan.Process, want *Process) {
	uids := map[uint32]bool{}
	for _, t := range want.Tasks {
		uids[t.UID] = true
		if t.TID == want.PID {
			equal(c, want.PID, 0, "UID", got.UID, t.UID)
		}
	}
	all := slices.Sorted(maps.Keys(uids))
	if !uids[got.UID] {
		c.add(want.PID, 0, "UID", got.UID, fmt.Sprint("one of ", all))
	}
	equal(c, want.PID, 0, "whether UIDs differ", got.UIDsDiffer, len(uids) > 1)
	equal(c, want.PID, 0, "UIDs", fmt.Sprint(c.snap.UIDs(got)), fmt.Sprint(all))
}

func (t *Task) hardening() scan.Hardening {
	h := scan.SeccompMode(uint32(t.Seccomp))
	if t.NoNewPrivs {
		h |= scan.NoNewPrivs
	}
	return h
}

func extent(n, of int) scan.Extent {
	switch n {
	case 0:
		return scan.OfNone
	case of:
		return scan.OfAll
	default:
		return scan.OfSome
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
