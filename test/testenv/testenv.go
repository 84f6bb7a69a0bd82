// SPDX-License-Identifier: Apache-2.0

// Package testenv has what many tests need of the host: root, programs, directories for
// other users, addresses. What is missing fails a test rather than skips it: a run that
// left out what matters would look like a good one. Only -short leaves it out.
package testenv

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// NeedRoot ends a test that cannot do its work without.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
}

// NeedTool returns the path of a program, or ends a test without it.
func NeedTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" (test/setup.sh installs it)")
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs %s; skipped because of -short", what)
	}
	t.Fatalf("needs %s; -short leaves this test out", what)
}

// PublicDir returns a new directory that every user may search, until the test ends:
// tests' own temporary directories are closed to others.
func PublicDir(t testing.TB) string {
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

// FreeAddress returns a loopback address that nobody listens on. Another process may take
// it first: then what is to listen there does not start, which fails the test.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
