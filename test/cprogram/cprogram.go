// SPDX-License-Identifier: Apache-2.0

// Package cprogram builds the programs in C that tests start as other users.
package cprogram

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles a program into dir, which it opens to every user, and returns its
// path.
func Build(dir, name string, source []byte) (string, error) {
	file, program := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	out, err := exec.Command("cc", "-O1", "-static", "-pthread", "-Wall", "-Wextra", "-Werror",
		"-o", program, file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s (a C compiler is needed): %w\n%s", name, err, out)
	}
	for _, path := range []string{filepath.Dir(dir), dir, program} {
		if err := os.Chmod(path, 0o755); err != nil {
			return "", fmt.Errorf("build %s: %w", name, err)
		}
	}
	return program, nil
}
