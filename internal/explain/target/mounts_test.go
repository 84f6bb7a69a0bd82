// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain/target/targettest"
)

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:20 / /proc rw - proc proc rw
24 22 0:21 /a\040b /mnt/with\040space\134\012 rw master:2 - fuse.sshfs x:/ - rw
not a line
25 22 0:22 / relative rw - tmpfs tmpfs rw
26 22 0:22 / /run rw
`

func TestParseMounts(t *testing.T) {
	got := parseMounts(mountinfo)
	want := []Mount{
		{"/", "/", "ext4", "254:0"}, {"/proc", "/", "proc", "0:20"},
		{"/mnt/with space\\\n", "/a b", "fuse.sshfs", "0:21"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i, local := range []bool{true, true, false} {
		if got[i].Local() != local {
			t.Errorf("%+v: local %v", got[i], !local)
		}
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(mountinfo)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMounts(text) {
			if m.Point == "" || m.Type == "" || strings.Count(m.Point, "\x00") > strings.Count(text, "\x00")+len(text)/4 {
				t.Errorf("%+v", m)
			}
		}
	})
}

func TestOpen(t *testing.T) {
	p := targettest.Self(t)
	target, err := Open("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	p.Start += 1e9
	if _, err := Open("/proc", p); !errors.Is(err, ErrOther) {
		t.Errorf("another process with the PID: %v", err)
	}
	// What a path leads to is found below the root directory, whatever is in it.
	dir := t.TempDir()
	if err := os.Symlink("/../../etc", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	inDir := &Process{PID: p.PID, all: target.all, dir: target.dir}
	if inDir.Root, err = open(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY); err != nil {
		t.Fatal(err)
	}
	defer inDir.Root.Close()
	for _, path := range []string{"/link/passwd", "/../../../../../../etc/passwd"} {
		if f, err := inDir.Find(path); err == nil {
			t.Errorf("%s leads out, to %s", path, f.Name())
			f.Close()
		}
	}
	if f, err := inDir.Find("/"); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}
