// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/internal/policy"
)

// DefaultConfig is read if it is there and no other configuration is asked for.
const DefaultConfig = "/etc/landlockd/landlockd.yml"

// defaultRuleFiles are where rules are sought without a configuration: those
// that packages bring, and those of the host.
func defaultRuleFiles() []string {
	return []string{"/usr/lib/landlockd/rules.d/*.yml", "/etc/landlockd/rules.d/*.yml"}
}

// Load reads the rules of the configuration at a path; if that is empty, those of
// DefaultConfig or, where there is none, of the rule files of packages and the host.
// Without any file there are no rules. [Brief] puts its error on one line.
func Load(path string) (*policy.Config, error) {
	if path != "" {
		return policy.Load(path)
	}
	switch _, err := os.Stat(DefaultConfig); {
	case err == nil:
		return policy.Load(DefaultConfig)
	case errors.Is(err, fs.ErrNotExist):
		return policy.LoadFiles(defaultRuleFiles())
	default:
		return nil, fmt.Errorf("configuration: %w", err)
	}
}

// Brief returns an error of [Load] on one line: of many problems the first.
func Brief(err error) error {
	if load, ok := errors.AsType[*policy.LoadError](err); ok && len(load.Problems) > 1 {
		return fmt.Errorf("%s (and %d more: landlockd check-config shows all)",
			load.Problems[0], len(load.Problems)-1)
	}
	return err
}

// Directories returns those that must be readable to load a configuration again:
// those of its files, and those where others may appear. The path is what was given
// to [Load].
func Directories(path string, c *policy.Config) ([]string, error) {
	patterns := c.Patterns
	if path == "" {
		// It may come to be there while the daemon runs.
		path, patterns = DefaultConfig, append(defaultRuleFiles(), patterns...)
	}
	var dirs []string
	for _, path := range append([]string{path}, patterns...) {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, filepath.Dir(abs))
	}
	// Files may be symbolic links into another directory.
	for _, path := range c.Files {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if real, err = filepath.Abs(real); err == nil {
				dirs = append(dirs, filepath.Dir(real))
			}
		}
	}
	return dirs, nil
}
