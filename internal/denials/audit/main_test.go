// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/landlockd/landlockd/test/provoke"
)

// The roles of this test binary, by its first argument.
const (
	provokeRole = "play-provoke"
	guardRole   = "play-audit-guard"
)

// The child's main goroutine has the main thread.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == provokeRole {
		exit(provoke.Play(os.Args[2], os.Args[3], os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == guardRole {
		exit(provoke.Guard(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
