// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func newWebConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWebConfigFiles(t *testing.T) {
	for text, want := range map[string][]string{
		"":                         nil,
		"basic_auth_users: {a: b}": nil,
		"tls_server_config: {}":    nil,
		"tls_server_config: {cert_file: a.crt, key_file: /k/b.key}":                      {"DIR/a.crt", "/k/b.key"},
		"tls_server_config: {cert_file: ../a, key_file: sub/b, client_ca_file: /ca/./c}": {"DIR/../a", "DIR/sub/b", "/ca/./c"},
		"tls_server_config: {client_ca_file: c}\nhttp_server_config: {http2: true}":      {"DIR/c"},
		"tls_server_config: {cert: inline, key: inline}":                                 nil,
	} {
		path := newWebConfig(t, text)
		got, err := configFiles(path)
		files := []string{path}
		for _, f := range want {
			files = append(files, filepath.Clean(strings.Replace(f, "DIR", filepath.Dir(path), 1)))
		}
		for i := range got {
			got[i] = filepath.Clean(got[i])
		}
		if err != nil || !slices.Equal(got, files) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, files)
		}
	}
}

func TestWebConfigFilesRefuses(t *testing.T) {
	for _, text := range []string{"tls_server_config: [", "tls_server_config: 1", "- a", "tls_server_config: {cert_file: [a]}", "\x00"} {
		if files, err := configFiles(newWebConfig(t, text)); err == nil {
			t.Errorf("%q: %q", text, files)
		}
	}
	if _, err := configFiles("/no/such/file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestConfigDirsFollowLinks(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"etc", "archive"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "archive/key")
	config := filepath.Join(dir, "etc/web.yml")
	if err := errors.Join(os.WriteFile(key, nil, 0o600), os.Symlink(key, filepath.Join(dir, "etc/key")),
		os.WriteFile(config, []byte("tls_server_config: {cert_file: gone/cert, key_file: key}"), 0o600)); err != nil {
		t.Fatal(err)
	}
	got, err := ConfigDirs(config)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{filepath.Join(dir, "archive"), filepath.Join(dir, "etc"), filepath.Join(dir, "etc/gone")}
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	if got, err = ConfigDirs(""); err != nil || got != nil {
		t.Errorf("without a configuration: %q, %v", got, err)
	}
	if _, err := ConfigDirs("/no/such/file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func FuzzWebConfigFiles(f *testing.F) {
	for _, s := range []string{
		"", "tls_server_config: {cert_file: a, key_file: /b, client_ca_file: ../c}", "a: &a [*a]", "tls_server_config: {cert_file: \"\\0\"}",
		"? [a]\n: b", "%YAML 1.2\n---\ntls_server_config: !!map {}", "tls_server_config: {<<: {cert_file: x}}", "--- 1\n--- 2",
	} {
		f.Add(s)
	}
	path := filepath.Join(f.TempDir(), "web.yml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files, err := configFiles(path)
		if err != nil {
			return
		}
		if len(files) < 1 || len(files) > 4 || files[0] != path {
			t.Fatalf("%q", files)
		}
		for _, file := range files {
			if !filepath.IsAbs(file) {
				t.Errorf("%q is relative", file)
			}
		}
	})
}
