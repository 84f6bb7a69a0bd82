// SPDX-License-Identifier: Apache-2.0

// Package forger builds a program that passes for another one, or that is hard to
// know, in each way that a user without privilege has.
package forger

import (
	_ "embed"

	"github.com/landlockd/landlockd/test/cprogram"
)

//go:embed program/forger.c
var source []byte

// Build compiles the program into dir, as cprogram.Build does, and returns its path.
// program/forger.c says how it is called.
func Build(dir string) (string, error) { return cprogram.Build(dir, "forger", source) }

// Forgeries are the ways to pass for another program, as this one is called for them.
func Forgeries() []string {
	return []string{"setmm", "sharedmm", "bind", "namespace", "descriptor", "detached", "overlay", "binfmt"}
}

// Disguises are the ways to be hard to know.
func Disguises() []string {
	return []string{
		"long", "longer", "deleted", "memory", "script", "comm", "title", "forks", "execs", "leader", "zombies",
		"vfork", "stopped", "pids", "users", "guarded", "orphan", "adopted", "environment",
	}
}
