// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/workload"
)

// readable lists what the serving stage must be able to read: cgroups, for the
// workloads; and the directories of the web configuration and of what it names.
// Directories, because files are replaced by renaming others over them.
func (s *settings) readable() ([]string, error) {
	dirs := []string{filepath.Join(s.sysfs, "fs/cgroup")}
	if s.webConfig == "" {
		return dirs, nil
	}
	files, err := webConfigFiles(s.webConfig)
	if err != nil {
		return nil, usageError{err}
	}
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, fmt.Errorf("--web.config.file: %w", err)
		}
		dirs = append(dirs, filepath.Dir(abs))
		// Certificates are often symbolic links into another directory.
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	return dirs, nil
}

// listable lists the directories that the serving stage must be able to list: the
// names in them give those of containers. They may come later, or be made anew: the
// one above is among them. They may be links to elsewhere, too.
func listable() []string {
	logs := workload.DefaultLogs
	return []string{filepath.Dir(logs), logs, workload.DefaultPodLogs}
}

// webConfig is what matters here of a web configuration.
type webConfig struct {
	TLS struct {
		Cert     string `yaml:"cert_file"`
		CertText string `yaml:"cert"`
		Key      string `yaml:"key_file"`
		ClientCA string `yaml:"client_ca_file"`
		// ClientAuth is "RequireAndVerifyClientCert" if only clients with a
		// certificate of that authority may connect.
		ClientAuth string `yaml:"client_auth_type"`
	} `yaml:"tls_server_config"`
	Users map[string]string `yaml:"basic_auth_users"`
}

func readWebConfig(path string) (webConfig, error) {
	var c webConfig
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("--web.config.file: %w", err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("--web.config.file %s: %w", path, err)
	}
	return c, nil
}

// webConfigFiles returns a web configuration's path and those of the files that it names.
func webConfigFiles(path string) ([]string, error) {
	c, err := readWebConfig(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	for _, f := range []string{c.TLS.Cert, c.TLS.Key, c.TLS.ClientCA} {
		if f == "" {
			continue
		}
		if !filepath.IsAbs(f) {
			f = filepath.Join(filepath.Dir(path), f)
		}
		files = append(files, f)
	}
	return files, nil
}
