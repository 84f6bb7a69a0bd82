// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/scan"
)

// Every view of a host is a function of a snapshot: here, how many of its processes
// are in which state.
func ExampleSnapshot() {
	snap := &scan.Snapshot{Processes: []scan.Process{
		{PID: 1, State: scan.Unsandboxed}, {PID: 42, State: scan.Sandboxed}, {PID: 43, State: scan.Sandboxed},
	}}
	n := snap.Count().Processes
	for _, state := range scan.States() {
		fmt.Println(state, n.Of(state))
	}
	// Output:
	// sandboxed 2
	// partial 0
	// unsandboxed 1
	// unknown 0
}

// An error of a source says what it means, beside its text.
func ExampleError() {
	err := fmt.Errorf("open: %w", &scan.Error{
		Kind: scan.ErrDenied, Reason: "no_capability", Source: "task iterator",
		Missing: "missing CAP_BPF", Since: "5.8",
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, scan.ErrDenied), scan.FailureReason(err))
	// Output:
	// open: task iterator: missing CAP_BPF (since Linux 5.8)
	// true no_capability
}
