// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed actor/*.c actor/*.h
var sources embed.FS

// links are the names under which the actor executes itself: those of a forest
// (one is longer than comm can hold), and the families of a churn.
var links = []string{
	"ld-alder", "ld-birch", "ld-cedar", "ld-douglas-fir-and-larch",
	Always, Never, Mixed,
}

// Build compiles the actor into dir, which it opens to every user since some of
// the processes change theirs, and returns the binary's path. The compiler is
// cc, or what the environment variable CC says.
func Build(ctx context.Context, dir string) (string, error) {
	cc := strings.Fields(os.Getenv("CC"))
	if len(cc) == 0 {
		cc = []string{"cc"}
	}
	return BuildWith(ctx, dir, cc...)
}

// BuildWith is Build with a compiler and its arguments.
func BuildWith(ctx context.Context, dir string, cc ...string) (string, error) {
	if _, err := exec.LookPath(cc[0]); err != nil {
		return "", fmt.Errorf("build the actor: no C compiler: %w (set CC)", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("build the actor: %w", err)
	}
	// The kernel gives paths of executables without symbolic links.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fmt.Errorf("build the actor: %w", err)
	}
	src, err := os.MkdirTemp(dir, "src")
	if err != nil {
		return "", fmt.Errorf("build the actor: %w", err)
	}
	defer os.RemoveAll(src)
	if err := os.CopyFS(src, sources); err != nil {
		return "", fmt.Errorf("build the actor: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(src, "actor", "*.c"))
	if err != nil {
		return "", fmt.Errorf("build the actor: %w", err)
	}
	bin := filepath.Join(dir, "actor")
	args := append(cc[1:], "-std=gnu11", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", bin)
	if out, err := exec.CommandContext(ctx, cc[0], append(args, files...)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the actor with %s: %w\n%s", cc[0], err, out)
	}
	for _, path := range []string{dir, bin} {
		if err := os.Chmod(path, 0o755); err != nil {
			return "", fmt.Errorf("build the actor: %w", err)
		}
	}
	for _, name := range links {
		if err := os.Link(bin, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			return "", fmt.Errorf("build the actor: %w", err)
		}
	}
	return bin, nil
}
