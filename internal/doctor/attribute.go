// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
)

// checkAttribute reports whether this kernel has the attribute, and what reading it
// shows. Where there is no Landlock, its source finds processes.
func checkAttribute(h *host, say say) {
	err := h.attributeErr
	switch none := h.kernel != nil && h.kernel.Landlock != scan.Enabled; {
	case none && err != nil:
		say(fail, "processes", "%s", err)
		return
	case none:
		say(ok, "processes", "are found in procfs where the task iterator does not load; that "+
			"needs no privilege, but with CAP_SYS_PTRACE more is seen of others' processes")
		return
	case err != nil:
		// No stock kernel has it: that is no fault where the iterator may do without.
		say(worse(h.iteratorErr == nil || h.unprivileged() != nil), "attribute", "%s", err)
		return
	}
	src := h.attribute
	info := src.Info()
	say(ok, "attribute", "/proc/PID/%s, form: %s; IDs: %s, lineage: %s",
		src.File(), src.Form(), info.IDs, info.Lineage)
	if hide, err := src.HidePID(); err == nil && hide != "off" {
		say(note, "procfs", "mounted with hidepid (%s): landlockd needs CAP_SYS_PTRACE to see "+
			"others' processes there", hide)
	}
	if !src.UsersKnown() {
		say(note, "users", "not known: %s", sources.UsersNotKnown)
	}
	if n := src.OwnDepth(); n > 0 {
		say(note, "attribute", "this process is in %d domains: it may only look into domains "+
			"nested in its own", n)
	}
}
