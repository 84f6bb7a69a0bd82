// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"

	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
)

// checkAttribute reports whether this kernel has the attribute, and what reading it
// shows. Where there is no Landlock, its source finds processes.
func checkAttribute(h *host) []finding {
	err := h.attributeErr
	if h.kernel != nil && h.kernel.Landlock != scan.Enabled {
		if err != nil {
			return []finding{{fail, "processes", err.Error()}}
		}
		return []finding{{ok, "processes", "are found in procfs where the task iterator does not load; that needs no privilege, " +
			"but with CAP_SYS_PTRACE more is seen of others' processes"}}
	}
	if err != nil {
		return []finding{{worse(h.iteratorErr == nil), "attribute", err.Error()}}
	}
	src := h.attribute
	info := src.Info()
	found := []finding{{ok, "attribute", fmt.Sprintf("/proc/PID/%s, form: %s; IDs: %s, lineage: %s", src.File(), src.Form(), info.IDs, info.Lineage)}}
	if hide, err := src.HidePID(); err == nil && hide != "off" {
		found = append(found, finding{note, "procfs", fmt.Sprintf("mounted with hidepid (%s): landlockd needs CAP_SYS_PTRACE to see others' processes there", hide)})
	}
	if !src.UsersKnown() {
		found = append(found, finding{note, "users", "not known: " + sources.UsersNotKnown})
	}
	if n := src.OwnDepth(); n > 0 {
		found = append(found, finding{note, "attribute", fmt.Sprintf("this process is in %d domains: it may only look into domains nested in its own", n)})
	}
	return found
}
