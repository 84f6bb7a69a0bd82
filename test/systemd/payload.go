// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/test/vm"
)

// payload adds files to a directory that the guest sees as /payload.
type payload func(r *runner, dir string) error

// daemon is landlockd, as people get it.
func daemon(r *runner, dir string) error {
	program := filepath.Join(dir, "landlockd")
	if r.Daemon == "" {
		return vm.GoBuild(r.ctx, r.Module, "amd64", program, "./cmd/landlockd")
	}
	b, err := os.ReadFile(r.Daemon)
	if err != nil {
		return err
	}
	return os.WriteFile(program, b, 0o755)
}

// adopt is the page that leads from an empty host to rules and a dashboard.
func adopt(r *runner, dir string) error {
	b, err := os.ReadFile(filepath.Join(r.Module, "docs/adopt.md"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "adopt.md"), b, 0o644)
}

// guest is the program that runs the checks.
func guest(r *runner, dir string) error {
	return vm.GoBuild(r.ctx, r.Module, "amd64", filepath.Join(dir, "guest"), "./test/systemd/guest")
}

// put copies what is in a directory to /payload of a filesystem, owned by root.
// A second disk would do, if the kernel did not name disks in any order.
func put(ctx context.Context, dir, image string) error {
	var script strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		inside := filepath.Join("/payload", below)
		switch {
		case below == ".":
		case d.IsDir():
			fmt.Fprintf(&script, "mkdir \"%s\"\n", inside)
		default:
			fmt.Fprintf(&script, "write \"%s\" \"%s\"\n", path, inside)
		}
		return nil
	})
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "/sbin/debugfs", "-w", "-f", "-", image)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	cmd.Stdin = strings.NewReader(script.String())
	var complaints strings.Builder
	cmd.Stderr = &complaints
	err = cmd.Run()
	// Its exit status says nothing of the commands; it complains, below a line
	// with its version.
	_, text, _ := strings.Cut(complaints.String(), "\n")
	if err != nil || strings.TrimSpace(text) != "" {
		return fmt.Errorf("debugfs: %w: %s", errors.Join(err, errors.New("it complains")), complaints.String())
	}
	return nil
}
