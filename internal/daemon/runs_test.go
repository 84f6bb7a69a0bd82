// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"testing"

	"github.com/landlockd/landlockd/internal/runs/trace"
)

func TestRunsHandoff(t *testing.T) {
	for files, ok := range map[int]bool{
		0: true, trace.NumFiles: true, 1: false, -1: false, trace.NumFiles + 1: false,
	} {
		if err := (runsHandoff{Files: files}).check(); (err == nil) != ok {
			t.Errorf("%d descriptors: %v", files, err)
		}
	}
}
