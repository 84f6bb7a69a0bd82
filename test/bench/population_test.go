// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/internal/cgroupfs"
)

// population is the processes that are scanned; its text names it in records.
type population struct {
	// tasks is how many there are; 0: none but what the machine has.
	tasks int
	// kind is what program/population.c makes of them.
	kind string
}

func (p population) String() string {
	if p.tasks == 0 {
		return "none"
	}
	return grouped(p.tasks) + " " + p.kind
}

// start makes the processes, and returns what ends them.
func (p population) start(b *testing.B, program string) (end func()) {
	b.Helper()
	if p.tasks == 0 {
		return func() {}
	}
	host := cgroupfs.Find("/proc", "/sys/fs/cgroup")
	if host.V2 == "" {
		b.Fatal("no cgroup2 is mounted below /sys/fs/cgroup, which workloads have their names from")
	}
	args := []string{fmt.Sprint(p.tasks), p.kind, host.V2}
	if host.V1.Dir != "" {
		args = append(args, host.V1.Dir) // it names processes there
	}
	stop := sleepers(b, program, args...)
	return func() { stop() }
}
