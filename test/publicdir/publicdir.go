// SPDX-License-Identifier: Apache-2.0

// Package publicdir makes directories for what tests start as other users.
package publicdir

import (
	"os"
	"testing"
)

// New returns a new directory that every user may search, until the test ends: tests'
// own temporary directories are closed to others.
func New(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "landlockd-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
