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

func TestRefused(t *testing.T) {
	const before = "audit: type=1326 audit(1.5:7): auid=1 uid=2 gid=2 ses=3 pid=4 comm=\"landlockd\" exe="
	const after = " sig=0 arch=c000003e syscall=16 compat=0 ip=0x7f code=0x50000"
	for line, want := range map[string]bool{
		before + `"/bin/landlockd"` + after:                                     true,
		before + "2F6D656D66643A6C616E646C6F636B64202864656C6574656429" + after: true,
		before + `"/bin/landlockd-attack"` + after:                              false,
		before + `"/bin/landlockd" sig=0 arch=c000003e syscall=435 compat=0`:    false,
		`audit: type=1400 audit(1.5:7): exe="/bin/landlockd" sig=0`:             false,
	} {
		if refused(line) != want {
			t.Errorf("%q: want %v", line, want)
		}
	}
}
