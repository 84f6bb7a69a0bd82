// SPDX-License-Identifier: Apache-2.0

// Package crowd builds a program that makes as many processes, domains, rules and
// root directories as a user without privilege can make.
package crowd

import (
	_ "embed"

	"github.com/landlockd/landlockd/test/cprogram"
)

//go:embed program/crowd.c
var source []byte

// Build compiles the program into dir, as cprogram.Build does, and returns its path.
// program/crowd.c says how it is called.
func Build(dir string) (string, error) { return cprogram.Build(dir, "crowd", source) }
