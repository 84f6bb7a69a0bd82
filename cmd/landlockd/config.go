// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/internal/policy"
)

// defaultConfig is read if it is there and --config.file is not given.
const defaultConfig = "/etc/landlockd/landlockd.yml"

// defaultRuleFiles are where rules are sought without a configuration: those
// that packages bring, and those of the host.
func defaultRuleFiles() []string {
	return []string{"/usr/lib/landlockd/rules.d/*.yml", "/etc/landlockd/rules.d/*.yml"}
}

// loadConfig reads the rules. Without any file there are none.
func (s *settings) loadConfig() (*policy.Config, error) {
	path, err := s.configPath()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return policy.LoadFiles(defaultRuleFiles())
	}
	return policy.Load(path)
}

// configPath returns the path of the configuration, or nothing if there is none.
func (s *settings) configPath() (string, error) {
	if s.configFile != "" {
		return s.configFile, nil
	}
	switch _, err := os.Stat(defaultConfig); {
	case err == nil:
		return defaultConfig, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	default:
		return "", fmt.Errorf("configuration: %w", err)
	}
}

// configError is an error of loadConfig on one line.
func configError(err error) error {
	var load *policy.LoadError
	if errors.As(err, &load) && len(load.Problems) > 1 {
		err = fmt.Errorf("%s (and %d more: landlockd check-config tells all)", load.Problems[0], len(load.Problems)-1)
	}
	return usageError{err}
}

// configDirs returns the directories that must be readable to load a
// configuration again: those of its files, and those where others may appear.
func (s *settings) configDirs(c *policy.Config) ([]string, error) {
	main, patterns := s.configFile, c.Patterns
	if main == "" {
		// It may come to be there while the daemon runs.
		main, patterns = defaultConfig, append(defaultRuleFiles(), patterns...)
	}
	var dirs []string
	for _, path := range append([]string{main}, patterns...) {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("--config.file: %w", err)
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
