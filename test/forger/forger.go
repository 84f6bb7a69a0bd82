// SPDX-License-Identifier: Apache-2.0

// Package forger builds a program that passes for another one, in each way that a
// user without privilege has.
package forger

import (
	_ "embed"

	"github.com/landlockd/landlockd/test/cprogram"
)

//go:embed program/forger.c
var source []byte

// Build compiles the program into dir, which it opens to every user, and returns
// its path. program/forger.c says how it is called.
func Build(dir string) (string, error) { return cprogram.Build(dir, "forger", source) }

// Tricks are the ways, as the program is called for them.
func Tricks() []string {
	return []string{"setmm", "sharedmm", "bind", "namespace", "descriptor", "detached", "overlay", "binfmt"}
}
