// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the program as people run it: the built binary, real
// processes, real sockets. It needs root, because the daemon does.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Set by TestMain and not changed afterwards.
var (
	landlockd string    // the binary under test, statically linked
	self      string    // this test binary, which is the launcher of sandboxed programs too
	refused   *refusals // nil without root
)

var raced = flag.Bool("e2e.race", false, "build landlockd with the race detector")

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == roleArg {
		os.Exit(playRole(os.Args[2:]))
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "landlockd-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Users without privileges run it, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	landlockd = filepath.Join(dir, "landlockd")
	env := []string{"CGO_ENABLED=0"}
	if flag.Parse(); *raced {
		env = []string{"CGO_ENABLED=1", "GOFLAGS=-race"}
	}
	if err := build(landlockd, env...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if self, err = os.Executable(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Geteuid() == 0 {
		if refused, err = watchRefusals(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func build(to string, env ...string) error {
	cmd := exec.Command("go", "build", "-o", to, "github.com/landlockd/landlockd/cmd/landlockd")
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build landlockd: %w\n%s", err, out)
	}
	return nil
}

// write makes a file with exactly this mode and returns its path.
func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyProgram makes a file that every user can execute.
func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(b), 0o755)
}
