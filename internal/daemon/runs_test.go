// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"testing"

	"github.com/landlockd/landlockd/internal/runs/trace"
)

func TestRunsHandoff(t *testing.T) {
	for _, copies := range []int{0, 1, 2, 3, -1, 1 << 62} {
		state := trace.State{Copies: copies}
		n := state.NumFiles()
		if known := copies == 1 || copies == 2; known != (n > 0) {
			t.Errorf("%d copies: %d descriptors", copies, n)
		}
		for files, ok := range map[int]bool{0: true, n: true, 1: false, -1: false, n + 1: false} {
			if err := (runsHandoff{Files: files, State: state}).check(); (err == nil) != ok {
				t.Errorf("%d copies, %d descriptors: %v", copies, files, err)
			}
		}
	}
}
