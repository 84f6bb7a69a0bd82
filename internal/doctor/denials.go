// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/denials/audit"
	"github.com/landlockd/landlockd/internal/denials/trace"
	"github.com/landlockd/landlockd/scan"
)

// What an operator would do to have denials in the audit log.
const auditHint = "to have them in the audit log, and so counted by blocker and workload: " +
	"auditctl -e 1, with auditd running (apt install auditd). What it costs: some four records " +
	"for each denial, and for all else that the audit rules name; without auditd they fill the " +
	"kernel's log; when the backlog is full, Landlock's are lost and the denied process waits " +
	"for room for the others (auditctl -b 8192 makes it longer). By default nothing is logged " +
	"of programs that a sandboxed launcher executes"

// checkCounters reports whether the kernel's own counts of denials are read.
func checkCounters(h *host, say say) {
	switch {
	case h.unprivileged() != nil && h.attributeErr != nil:
		say(note, "denials", "whether this kernel counts them is not known without that privilege")
	case h.iteratorErr != nil && h.attributeErr != nil:
		say(note, "denials", "whether this kernel counts them is not known: no source works")
	case h.iteratorErr != nil:
		say(note, "denials", "not counted: only the task iterator reads the kernel's counters")
	case h.iterator.Info().Denials == scan.DenialsNone:
		say(note, "denials", "this kernel does not count them (Linux 6.15, with CONFIG_AUDIT)")
	}
}

// checkDenials reports how denials are read one by one here. It opens what the daemon
// would, and changes nothing.
func checkDenials(h *host, say say) {
	files, err := trace.Open(h.types)
	if err == nil {
		for _, file := range files {
			file.Close()
		}
		say(ok, "denials", "counted one by one, by the kernel's tracepoints")
		return
	}
	if !errors.Is(err, scan.ErrAbsent) {
		say(note, "denials", "%s", err)
	}
	file, err := audit.Open()
	if err != nil {
		say(note, "denials", "not counted one by one: %s", err)
		return
	}
	file.Close()
	state, err := audit.ReadState()
	switch {
	case errors.Is(err, unix.EPERM):
		say(note, "denials", "counted one by one if audit is on, which only CAP_AUDIT_CONTROL may "+
			"ask; %s", auditHint)
	case err != nil:
		say(note, "denials", "counted one by one if audit is on: %s", err)
	case !state.Enabled:
		say(note, "denials", "not counted one by one: audit is off; %s", auditHint)
	default:
		lost := ""
		if state.Lost > 0 {
			lost = fmt.Sprintf("; it has lost %d records since boot: auditctl -b makes the backlog "+
				"longer", state.Lost)
		}
		say(ok, "denials", "counted one by one, by the audit log (audit daemon: %d, backlog limit "+
			"%d, rate limit %d)%s", state.Daemon, state.BacklogLimit, state.RateLimit, lost)
	}
}
