// SPDX-License-Identifier: Apache-2.0

// Package targettest has what tests look at.
package targettest

import (
	"os"
	"testing"

	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// Self returns this process as a scan has it.
func Self(t testing.TB) *scan.Process {
	t.Helper()
	b, err := os.ReadFile("/proc/self/stat")
	var s procdir.Stat
	if err != nil || !procdir.ParseStat(b, &s) {
		t.Fatalf("%q: %v", b, err)
	}
	return &scan.Process{PID: int32(os.Getpid()), Start: s.Start}
}
