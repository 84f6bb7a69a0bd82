// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// RuleTruth is what is true of one rule over some hosts.
type RuleTruth struct {
	// Hosts is to how many it applies, Violating on how many of them it is violated.
	Hosts, Violating int
	// Processes by result, and violating ones by reason; too_few is how many are missing.
	Compliant, Starting, Unknown int
	Violations                   map[string]int
	Runs                         RunTruth
}

func (t *RuleTruth) add(o RuleTruth) {
	t.Hosts += o.Hosts
	t.Violating += o.Violating
	t.Compliant += o.Compliant
	t.Starting += o.Starting
	t.Unknown += o.Unknown
	t.Runs.add(o.Runs)
	if t.Violations == nil {
		t.Violations = map[string]int{}
	}
	for reason, n := range o.Violations {
		t.Violations[reason] += n
	}
}

// truth is what docs/rules.md says of the host; false if the rule has nothing to
// say there. It is worked out from counts, and knows nothing of internal/policy.
func (r Rule) truth(h *Host) (RuleTruth, bool) {
	t := RuleTruth{Hosts: 1, Violations: map[string]int{}, Runs: r.runs(h)}
	var processes Counts
	for _, u := range h.Units {
		if u.Name == r.Workload {
			processes = u.Processes
		}
	}
	n := processes.Total()
	if n == 0 && r.MinProcesses == 0 {
		return t, false
	}
	if missing := r.MinProcesses - n; missing > 0 {
		t.Violations["too_few"] = missing
	}
	wrong := map[string]int{"unsandboxed": processes[scan.Unsandboxed], "partial": processes[scan.Partial]}
	if why := r.lacks(h); why != "" {
		wrong[why] += processes[scan.Sandboxed]
	} else {
		t.Compliant = processes[scan.Sandboxed]
	}
	t.Unknown = processes[scan.Unknown]
	if h.Kind == Disabled {
		wrong = map[string]int{"landlock_disabled": n}
		t.Compliant, t.Unknown = 0, 0
	}
	for reason, n := range wrong {
		switch {
		case n == 0:
		case h.Young:
			t.Starting += n
		default:
			t.Violations[reason] = n
		}
	}
	if len(t.Violations) > 0 {
		t.Violating = 1
	}
	return t, true
}

// lacks says why a sandboxed process of the host violates the rule; empty if it
// does not.
func (r Rule) lacks(h *Host) string {
	hasRight := h.ABI >= r.Since
	switch {
	case int(h.Depth) < r.MinDepth:
		return "too_shallow"
	case r.Right == "":
		return ""
	case !hasRight && r.Strict, hasRight && h.FilesOnly && !strings.HasPrefix(r.Right, "fs."):
		return "right_not_restricted"
	default:
		return ""
	}
}
