// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func text(s string) sample             { return sample{text: []byte(s), dir: true} }
func failing(e error, dir bool) sample { return sample{err: e, dir: dir} }

func TestDetect(t *testing.T) {
	hidden := failing(unix.ENOENT, true)
	for _, c := range []struct {
		name string
		h    helpers
		want dialect
	}{
		{"v1", helpers{0, text("landlocked:0"), text("landlocked:1"), text("landlocked:1")}, dialect{form: landlocked}},
		{"v2", helpers{0, text("none"), text(""), text("")}, dialect{form: empty}},
		{"presence", helpers{0, hidden, text(""), text("")}, dialect{form: presence, absentIsOut: true}},
		{"presence with text", helpers{0, hidden, text("hello"), text("hello")}, dialect{form: presence, absentIsOut: true}},
		{"ID or no file", helpers{0, hidden, text("1e67bda0b"), text("1e67bda0c")}, dialect{form: hexID, absentIsOut: true}},
		{"words", helpers{0, text("unrestricted"), text("restricted"), text("restricted")}, dialect{form: words}},
		{"ID", helpers{0, text("none\n"), text("1e67bda0b\n"), text("1e67bda1c\n")}, dialect{form: hexID}},
		{"ID of digits alone", helpers{0, text("none"), text("4294967299"), text("4294967305")}, dialect{form: hexID}},
		{"ID, this process in domains", helpers{2, failing(unix.EACCES, true), text("1e67bda0b\n"), text("1e67bda1c\n")}, dialect{form: hexID}},
		{"version", helpers{0, text("none"), text("120.3"), text("121.5")}, dialect{form: versioned}},
		{"layers", helpers{0, text("0"), text("3"), text("5")}, dialect{form: counted}},
		{"layers, this process in domains", helpers{4, text("4"), text("7"), text("9")}, dialect{form: counted}},
	} {
		if got, err := detect(c.h); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestDetectRefuses(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		name   string
		h      helpers
		absent bool
	}{
		{"no directory", helpers{0, failing(unix.ENOENT, false), failing(unix.ENOENT, false), failing(unix.ENOENT, false)}, true},
		{"no hook", helpers{0, failing(unix.EINVAL, true), failing(unix.EINVAL, true), failing(unix.EINVAL, true)}, true},
		{"denied", helpers{0, failing(unix.EACCES, true), failing(unix.EACCES, true), failing(unix.EACCES, true)}, false},
		{"hidden from us", helpers{0, failing(unix.ENOENT, true), failing(unix.ENOENT, true), failing(unix.ENOENT, true)}, false},
		{"the same for all", helpers{0, text("none"), text("none"), text("none")}, false},
		{"the same ID for two domains", helpers{0, text("none"), text("1e67bda0b"), text("1e67bda0b")}, false},
		{"an ID for a task in none", helpers{0, text("1e67bda0a"), text("1e67bda0b"), text("1e67bda0c")}, false},
		{"wrong count", helpers{0, text("0"), text("3"), text("6")}, false},
		{"count that could be an ID", helpers{0, text("none"), text("3"), text("5")}, false},
		{"new words", helpers{0, text("free"), text(long), text(long)}, false},
		{"nothing seen of a free task", helpers{1, text("none"), text(""), text("")}, false},
		{"absence means nothing to a sandboxed reader", helpers{1, failing(unix.ENOENT, true), text(""), text("")}, false},
	} {
		d, err := detect(c.h)
		if err == nil || errors.Is(err, errNoAttribute) != c.absent {
			t.Errorf("%s: %+v, %v", c.name, d, err)
			continue
		}
		if strings.Contains(err.Error(), strings.Repeat("x", 33)) {
			t.Errorf("%s: a long quotation: %v", c.name, err)
		}
	}
}

// A file that can be opened and not read is a sample, too.
func TestSampleOfReadThatFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "landlock/domain"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := probe{proc: unix.AT_FDCWD}
	s := p.sample(&helper{attr: dir + "/"}, "domain")
	if !errors.Is(s.err, unix.EISDIR) || !s.dir || s.text != nil {
		t.Errorf("%v, directory %v", s, s.dir)
	}
}
