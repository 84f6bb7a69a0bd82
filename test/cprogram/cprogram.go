// SPDX-License-Identifier: Apache-2.0

// Package cprogram builds the programs in C that tests start as other users.
package cprogram

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles a program into dir, which every user must be able to search (see
// package publicdir), and returns its path.
func Build(dir, name string, source []byte) (string, error) {
	file, program := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	// Static, so that a process costs little and needs no library at any path.
	out, err := exec.Command("cc", "-O1", "-static", "-pthread", "-Wall", "-Wextra", "-Werror",
		"-o", program, file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s (a C compiler is needed): %w\n%s", name, err, out)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return program, nil
}
