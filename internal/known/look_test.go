// SPDX-License-Identifier: Apache-2.0

package known

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/policy"
)

// host makes a root directory: files by their paths; a text that begins with -> is a link, and one
// in /usr can be executed.
func host(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		target, link := strings.CutPrefix(text, "->")
		err := os.WriteFile(at, []byte(text), 0o755)
		if link {
			err = os.Remove(at)
			if err == nil {
				err = os.Symlink(target, at)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const status = `Package: xz-utils
Status: install ok installed
Version: 5.4.1-1

Package: gone
Status: deinstall ok config-files
Version: 2

Package: other
Status: install ok installed
Description: text
 Version: 3
Version: 1:4.0-1
`

func TestLook(t *testing.T) {
	programs := []policy.Known{
		{Name: "xz", Paths: []string{"/usr/bin/xz", "/opt/none"}, Debs: []string{"no-such", "xz-utils"}},
		{Name: "gone", Paths: []string{"/usr/bin/gone"}, Debs: []string{"gone"}},
		{Name: "local", Paths: []string{"/usr/local/bin/local"}, Debs: []string{"other"}},
		{Name: "other", Paths: []string{"/usr/bin/other"}, Debs: []string{"other"}},
		{Name: "linked", Paths: []string{"/usr/bin/linked"}},
		{Name: "outside", Paths: []string{"/usr/bin/outside"}},
		{Name: "directory", Paths: []string{"/usr/bin"}},
		{Name: "codex", NPM: "@openai/codex"},
		{Name: "broken", NPM: "broken"},
		{Name: "absent", Paths: []string{"/usr/bin/xz/xz"}, NPM: "absent"},
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	root := host(t, map[string]string{
		"usr/bin/xz": "", "usr/bin/gone": "", "usr/local/bin/local": "", "usr/bin/other": "",
		"usr/bin/linked": "->/usr/bin/xz", "usr/bin/outside": "->" + outside,
		"var/lib/dpkg/status":                                   status,
		"var/lib/dpkg/info/xz-utils.list":                       "/.\n/usr/bin/xz\n",
		"var/lib/dpkg/info/other.list":                          "/usr/bin/other\n/usr/bin/xz\n",
		"var/lib/dpkg/info/gone.list":                           "/usr/bin/gone\n",
		"usr/lib/node_modules/broken/file":                      "",
		"usr/lib/node_modules/broken/package.json":              "{",
		"usr/local/lib/node_modules/@openai/codex/package.json": `{"name": "x", "version": "0.80.0"}`,
	})
	got, err := Look(root, programs)
	want := map[string][]Installed{
		"xz":     {{"/usr/bin/xz", "xz-utils", "5.4.1-1", "5.4.1"}},
		"gone":   {{Path: "/usr/bin/gone"}},
		"local":  {{Path: "/usr/local/bin/local"}},
		"other":  {{"/usr/bin/other", "other", "1:4.0-1", "4.0"}},
		"linked": {{Path: "/usr/bin/linked"}},
		"codex":  {{"/usr/local/lib/node_modules/@openai/codex", "@openai/codex", "0.80.0", "0.80.0"}},
		"broken": {{Path: "/usr/lib/node_modules/broken", Package: "broken"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("a package.json that is none: %v", err)
	}
	if _, err := Look(filepath.Join(root, "none"), programs); err == nil {
		t.Error("a root directory that is not there")
	}
}

// What is no regular file, or too long, is not read, and holds nobody up.
func TestLookIsBounded(t *testing.T) {
	programs := []policy.Known{{Name: "xz", Paths: []string{"/usr/bin/xz"}, Debs: []string{"xz-utils"}}}
	unknown := map[string][]Installed{"xz": {{Path: "/usr/bin/xz"}}}
	for name, spoil := range map[string]func(status string) error{
		"a pipe":    func(status string) error { return unix.Mkfifo(status, 0o600) },
		"too long":  func(status string) error { return os.Truncate(touch(t, status), maxStatus+1) },
		"one line":  func(status string) error { return os.Truncate(touch(t, status), maxJSON+1) },
		"a loop":    func(status string) error { return os.Symlink("status", status) },
		"not there": func(string) error { return nil },
	} {
		root := host(t, map[string]string{"usr/bin/xz": "", "var/lib/dpkg/info/xz-utils.list": "/usr/bin/xz\n"})
		if err := spoil(filepath.Join(root, "var/lib/dpkg/status")); err != nil {
			t.Fatal(err)
		}
		if got, err := Look(root, programs); err != nil || !reflect.DeepEqual(got, unknown) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func touch(t *testing.T, name string) string {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
