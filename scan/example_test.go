// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"fmt"

	"github.com/landlockd/landlockd/scan"
)

// Every view of a host is a function of a snapshot: here, how many of its processes
// are in which state.
func ExampleSnapshot() {
	snap := &scan.Snapshot{Processes: []scan.Process{
		{PID: 1, State: scan.Unsandboxed}, {PID: 42, State: scan.Sandboxed}, {PID: 43, State: scan.Sandboxed},
	}}
	n := map[scan.State]int{}
	for i := range snap.Processes {
		n[snap.Processes[i].State]++
	}
	for _, state := range scan.States() {
		fmt.Println(state, n[state])
	}
	// Output:
	// sandboxed 2
	// partial 0
	// unsandboxed 1
	// unknown 0
}
