// SPDX-License-Identifier: Apache-2.0

package api

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

// seesAllAtConnect reports whether a peer may see every process, as far as the
// kernel knows from its connection. Nobody else makes this host scan.
func (p *peer) seesAllAtConnect() bool { return p.pid > 0 && p.uid == 0 && !p.confined() }

// seesAll reports whether a peer may look at every process (PTRACE_MODE_READ), by a
// snapshot that was begun after its request: all its threads have
// CAP_SYS_PTRACE in the initial user namespace, and none is in a domain or might be.
func (p *peer) seesAll(s *scan.Snapshot) bool {
	q := s.Find(p.pid)
	return p.seesAllAtConnect() && q != nil &&
		q.UID == 0 && q.SysPtrace && q.State == scan.Unsandboxed &&
		// Younger ones have the PID of one that was there before.
		q.Start <= uint64(p.uptime+startTolerance) &&
		// Behind the snapshot: it lived all the time, and the PID was its own.
		p.lives()
}

// startTolerance is by how much a process's start may be later in a source than in
// fact: clocks are read one after the other.
const startTolerance = 10 * time.Millisecond
