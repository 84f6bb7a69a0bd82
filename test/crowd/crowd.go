// SPDX-License-Identifier: Apache-2.0

// Package crowd builds a program that makes as many processes, domains, rules and
// root directories as a user without privilege can make.
package crowd

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed program/crowd.c
var source []byte

// Build compiles the program into dir, which it opens to every user, and returns
// its path. program/crowd.c says how it is called.
func Build(dir string) (string, error) {
	file, program := filepath.Join(dir, "crowd.c"), filepath.Join(dir, "crowd")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", fmt.Errorf("build the crowd: %w", err)
	}
	out, err := exec.Command("cc", "-O1", "-static", "-pthread", "-Wall", "-Wextra", "-Werror", "-o", program, file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the crowd (a C compiler is needed): %w\n%s", err, out)
	}
	for _, path := range []string{filepath.Dir(dir), dir, program} {
		if err := os.Chmod(path, 0o755); err != nil {
			return "", fmt.Errorf("build the crowd: %w", err)
		}
	}
	return program, nil
}
