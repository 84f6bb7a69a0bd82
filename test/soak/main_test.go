// SPDX-License-Identifier: Apache-2.0

// Package soak runs one daemon for long beside all attacks, one after the other, and holds
// what it says against the truth, and what it takes against what it took before.
package soak

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

var (
	soakFor  = flag.Duration("soak.for", 40*time.Second, "repeat all attacks for so long, but twice at least")
	stormFor = flag.Duration("soak.storm", 2*time.Second, "how long each storm of processes that end is")
	// A busy host makes any scrape slow, and a fork storm took a slow one 48 s: by default only one
	// that hangs is an error. make soak has the bound.
	slowest = flag.Duration("soak.slowest", patience, "how long a scrape may take")
)

// insideEnv is set for the run of this binary that is in a PID namespace of its own.
const insideEnv = "LANDLOCKD_SOAK_INSIDE"

// TestSoak repeats attacks on one daemon.
func TestSoak(t *testing.T) { inside(t, soak) }

// inside has the test run itself again in a PID namespace: what else runs on the host changes no
// figure, and nothing that was started outlives the test.
func inside(t *testing.T, do func(*testing.T)) {
	t.Helper()
	testenv.NeedRoot(t)
	if os.Getenv(insideEnv) != "" {
		do(t)
		return
	}
	// The shell is the first process there, which reaps those whose parents have ended.
	cmd := exec.Command(testenv.NeedTool(t, "unshare"), "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", `"$@"; exit $?`, "sh", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v",
		fmt.Sprintf("-soak.for=%s", *soakFor), fmt.Sprintf("-soak.slowest=%s", *slowest),
		fmt.Sprintf("-soak.storm=%s", *stormFor),
		fmt.Sprintf("-test.timeout=%s", 2**soakFor+2**stormFor+10*time.Minute))
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("it failed: %v", err)
	}
}

// buildLandlockd builds the program, and returns its path.
func buildLandlockd(t *testing.T) string {
	t.Helper()
	landlockd := filepath.Join(testenv.PublicDir(t), "landlockd")
	build := exec.Command("go", "build", "-o", landlockd, "github.com/landlockd/landlockd/cmd/landlockd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build landlockd: %v\n%s", err, out)
	}
	return landlockd
}
