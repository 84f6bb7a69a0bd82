// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/landlockd/landlockd/test/vm"
)

// codexVersions are the last version of codex that restricts what it starts by Landlock, and one
// that does so by other means, the newest of 2026-11.
var codexVersions = map[string]string{"codex-old": "0.114.0", "codex-new": "0.171.0"}

// codexTools are the files that codex is got with, and the Debian packages that have them.
var codexTools = map[string]string{"npm": "npm"}

// codex is a directory for each version, as npm makes it where it installs for all users. It is
// got once.
func codex(r *runner, dir string) error {
	if err := vm.Install(r.ctx, r.Out, codexTools); err != nil {
		return err
	}
	for name, version := range codexVersions {
		kept := filepath.Join(r.Cache, "codex-"+version)
		_, err := os.Stat(kept)
		if errors.Is(err, os.ErrNotExist) {
			err = r.getCodex(version, kept)
		}
		if err == nil {
			err = linkFiles(kept, filepath.Join(dir, name))
		}
		if err != nil {
			return fmt.Errorf("codex %s: %w", version, err)
		}
	}
	return nil
}

// getCodex gets a version from npm's registry. None of its scripts runs.
func (r *runner) getCodex(version, kept string) error {
	tmp, err := os.MkdirTemp(r.Cache, "getting-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	npm := exec.CommandContext(r.ctx, "npm", "install", "--global", "--prefix="+tmp,
		"--ignore-scripts", "--no-audit", "--no-fund", "@openai/codex@"+version)
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", npm.Args, err, out)
	}
	return os.Rename(filepath.Join(tmp, "lib/node_modules/@openai/codex"), kept)
}

// linkFiles makes a directory of links to the files below another one, but those of a directory
// "voice", which are a quarter of codex and of no use here.
func linkFiles(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case d.Name() == "voice":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o755)
		default:
			return os.Symlink(path, filepath.Join(to, below))
		}
	})
}
