// SPDX-License-Identifier: Apache-2.0

// Package targettest has what tests look at.
package targettest

import (
	"os"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/landlockd/landlockd/scan"
)

// userHZ is the number of clock ticks in a second of /proc/[pid]/stat.
const userHZ = 100

// Self returns this process as a scan has it.
func Self(t testing.TB) *scan.Process {
	t.Helper()
	proc, err := procfs.Self()
	if err != nil {
		t.Fatal(err)
	}
	stat, err := proc.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return &scan.Process{
		PID: int32(os.Getpid()), Start: stat.Starttime * uint64(time.Second/userHZ),
	}
}
