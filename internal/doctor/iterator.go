// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strconv"

	"github.com/landlockd/landlockd/internal/plural"
)

// checkIterator reports whether the task iterator loads, and what it reads.
func checkIterator(h *host, say say) {
	if e := h.unprivileged(); e != nil {
		say(worse(h.attributeErr == nil), "privilege", "%s: whether the task iterator works here was "+
			"not tried; run this as root (sudo landlockd doctor). To serve: %s", e.Missing, e.Hint)
		return
	}
	if h.iteratorErr != nil {
		say(worse(h.attributeErr == nil), "task iterator", "%s", h.iteratorErr)
		return
	}
	text := "loaded"
	if off := h.iterator.CredentialsOffset(); off >= 0 {
		text += "; Landlock's part of the credentials is at byte " + strconv.Itoa(off)
	}
	say(ok, "task iterator", "%s", text)
	info := h.iterator.Info()
	say(ok, "facts", "IDs: %s, lineage: %s, rules: %s, denials: %s",
		info.IDs, info.Lineage, info.Rules, info.Denials)
	if newer := h.iterator.Newer(); len(newer) > 0 {
		say(note, "newer Landlock", "this kernel keeps of domains what this landlockd does not know: "+
			"%s. What a domain denies that makes use of it is not known: update landlockd",
			plural.First(newer, 8))
	}
	if h.iterator.Unprivileged() {
		say(ok, "serving", "needs no capability")
	} else {
		say(note, "serving", "keeps CAP_BPF: this kernel wants it for every scan (before Linux 5.19)")
	}
	if info.PIDNS == "init" {
		say(ok, "PID namespace", "the initial one: every process of the host is in it")
	} else {
		say(fail, "PID namespace", "an inner one: only its processes are seen; run landlockd in the "+
			"host's (hostPID, --pid=host)")
	}
}
