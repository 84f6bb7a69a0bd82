// SPDX-License-Identifier: Apache-2.0

package web

import (
	"os"
	"path/filepath"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Config is what the daemon itself looks at in a web configuration, the file that
// configures TLS and authentication for exporter-toolkit. The zero value is that of
// none.
type Config struct {
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

// ValidateConfig returns why a web configuration, and what it names, cannot be used.
// An empty path is valid.
func ValidateConfig(path string) error { return web.Validate(path) }

// ReadConfig reads a web configuration; without a path there is none.
func ReadConfig(path string) (c Config, err error) {
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	err = yaml.Unmarshal(text, &c)
	return c, err
}

// ServesTLS reports whether clients connect by TLS.
func (c Config) ServesTLS() bool { return c.TLS.Cert != "" || c.TLS.CertText != "" }

// Authenticates reports whether clients must authenticate to read.
func (c Config) Authenticates() bool {
	return len(c.Users) > 0 || c.TLS.ClientAuth == "RequireAndVerifyClientCert"
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
	if path == "" {
		return nil, nil
	}
	c, err := ReadConfig(path)
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
