// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"fmt"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// BenchmarkUpdate is an attack: all cells are of cgroups and programs that nobody has seen.
func BenchmarkUpdate(b *testing.B) {
	t := newBench(b, two, nil)
	t.Update(hostOf(scan.Sandboxed))
	const cells = 10_000
	b.ReportAllocs()
	for n := range b.N {
		b.StopTimer()
		var all []Cell
		for i := range cells {
			c := cell(fmt.Sprintf("user-1000.slice/user@1000.service/app.slice/x%d-%d.scope", n, i), scan.Unsandboxed, time.Hour, 1)
			c.Exe, c.CgroupID, c.ParentCgroup = fmt.Sprintf("/tmp/%d/%d", n, i), uint64(i), c.Cgroup
			c.Last = Last{PID: int32(i + 1), Start: 1, End: uint64(i)}
			all = append(all, c)
		}
		b.StartTimer()
		t.end(all...)
	}
}
