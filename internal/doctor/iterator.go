// SPDX-License-Identifier: Apache-2.0

package doctor

import "fmt"

// checkIterator reports whether the task iterator loads, and what it reads.
func checkIterator(h *host) []finding {
	if h.iteratorErr != nil {
		return []finding{{worse(h.attributeErr == nil), "task iterator", h.iteratorErr.Error()}}
	}
	info := h.iterator.Info()
	text := "loaded"
	if off := h.iterator.CredentialsOffset(); off >= 0 {
		text += fmt.Sprintf("; Landlock's part of the credentials is at byte %d", off)
	}
	found := []finding{
		{ok, "task iterator", text},
		{ok, "facts", fmt.Sprintf("IDs: %s, lineage: %s, rules: %s, denials: %s", info.IDs, info.Lineage, info.Rules, info.Denials)},
	}
	if h.iterator.Unprivileged() {
		found = append(found, finding{ok, "serving", "needs no capability"})
	} else {
		found = append(found, finding{note, "serving", "keeps CAP_BPF: this kernel wants it for every scan (before Linux 5.19)"})
	}
	if info.PIDNS != "init" {
		return append(found, finding{fail, "PID namespace", "an inner one: only its processes are seen; run landlockd in the host's (hostPID, --pid=host)"})
	}
	return append(found, finding{ok, "PID namespace", "the initial one: every process of the host is in it"})
}
