// SPDX-License-Identifier: Apache-2.0

package web

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Config is a web configuration: the file that configures TLS and authentication for
// exporter-toolkit. The zero value is that of none.
type Config web.Config

// ValidateConfig returns why a web configuration, and what it names, cannot be used.
// An empty path is valid. Of a file that cannot be read it is the [fs.PathError].
func ValidateConfig(path string) error {
	files, _ := configFiles(path) // Validate has better words for it
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err // exporter-toolkit's does not wrap it
		}
		f.Close()
	}
	return web.Validate(path)
}

// ReadConfig reads a web configuration, with paths that are relative to its directory
// below that; without a path there is none.
func ReadConfig(path string) (c Config, err error) {
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	err = yaml.Unmarshal(text, &c)
	c.TLSConfig.SetDirectory(filepath.Dir(path))
	return c, err
}

// ServesTLS reports whether clients connect by TLS.
func (c Config) ServesTLS() bool {
	return c.TLSConfig.TLSCertPath != "" || c.TLSConfig.TLSCert != ""
}

// Authenticates reports whether clients must authenticate to read.
func (c Config) Authenticates() bool {
	return len(c.Users) > 0 || c.TLSConfig.ClientAuth == "RequireAndVerifyClientCert"
}

// ConfigDirs returns the directories of a web configuration and of what it names:
// directories, because files are replaced by renaming others over them.
func ConfigDirs(path string) ([]string, error) {
	files, err := configFiles(path)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, filepath.Dir(abs))
		// Certificates are often symbolic links into another directory.
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	return dirs, nil
}

// configFiles returns a web configuration's path and those of the files that it names.
func configFiles(path string) ([]string, error) {
	c, err := ReadConfig(path)
	if err != nil {
		return nil, err
	}
	tls := &c.TLSConfig
	files := []string{path, tls.TLSCertPath, tls.TLSKeyPath, tls.ClientCAs}
	return slices.DeleteFunc(files, func(f string) bool { return f == "" }), nil
}
