// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// Whoever runs many programs, sandboxed or not, leaves out no service of the system, and nobody
// waits for the names of his.
func TestWriteInAFlood(t *testing.T) {
	h := newHost()
	for i := range 6_000 {
		states := []scan.State{scan.Sandboxed, scan.Unsandboxed}[:1+i%2]
		h.process(program(), fmt.Sprintf("/home/u/%c/%c", 0x4e00+i%3_000, 'α'+i/3_000), states...)
	}
	h.process(unit("held.service", "held.service"), "/usr/lib/held", scan.Sandboxed)
	h.process(unit("free.service", "free.service"), "/usr/lib/free", scan.Unsandboxed)
	got := text(t, &h.Snapshot)
	for _, want := range []string{"\n  - name: held #", "\n#   - name: free #"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%.3000s", want, got)
		}
	}
	holds(t, &h.Snapshot, got)
}
