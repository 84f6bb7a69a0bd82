// SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"testing"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

func TestFaults(t *testing.T) {
	deadline := []string{
		"------------[ cut here ]------------",
		"WARNING: kernel/time/hrtimer.c:1098 at hrtimer_forward+0x7b/0xc0, CPU#0: ld-mixed/194",
		"RIP: 0010:hrtimer_forward+0x7b/0xc0",
		" dl_task_timer+0x35b/0x8b0",
	}
	ours := []string{
		"------------[ cut here ]------------",
		"WARNING: security/landlock/domain.c:90 at landlock_domain_attribute+0x1/0x2, CPU#0: init/1",
	}
	const bug = "BUG: kernel NULL pointer dereference, address: 0000000000000000"
	for name, test := range map[string]struct {
		log    []string
		status protocol.Status
	}{
		"nothing":         {[]string{"Linux version 7.3.4", "landlock: Up and running."}, protocol.OK},
		"a fault":         {ours, protocol.Fail},
		"a known fault":   {deadline, protocol.OK},
		"another behind":  {slices.Concat(deadline, ours), protocol.Fail},
		"with no heading": {[]string{bug}, protocol.Fail},
		"both":            {append(slices.Clone(deadline), bug), protocol.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			c, log := &T{name: "kernel"}, faults{}
			for _, text := range test.log {
				log.line(c, text)
			}
			if status, text := c.outcome(); status != test.status {
				t.Errorf("%s (%s), want %s", status, text, test.status)
			}
		})
	}
}
