// SPDX-License-Identifier: Apache-2.0

//go:build attack

package main

import (
	"github.com/landlockd/landlockd/internal/daemon"
	"github.com/landlockd/landlockd/test/attack/inside" //nolint:depguard // in no other build
)

// This is a debug build, for tests: its serving stage attacks if it is asked to. Then init
// does not return, and main.go's has not run.
func init() {
	daemon.EnterStage()
	inside.Arm(main)
}
