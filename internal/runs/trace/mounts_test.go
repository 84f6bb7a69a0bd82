// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPathsOfMounts: what is executed has the path that it has then, whatever had its addresses and
// numbers before, and whatever is renamed above it.
func TestPathsOfMounts(t *testing.T) {
	r := open(t)
	program, err := os.ReadFile(copyOf(t, "true"))
	if err != nil {
		t.Fatal(err)
	}
	far := strings.Repeat("/d", int(objectSizesCHAIN)+2)
	for name, next := range map[string]func(dir string, n int) (path string, err error){
		"another file in its place": func(dir string, n int) (string, error) {
			path := fmt.Sprintf("%s/m/p%d", dir, n)
			if n > 0 {
				err = unix.Unmount(dir+"/m", 0)
			}
			return path, errors.Join(err, mountAt(dir+"/m"), os.WriteFile(path, program, 0o755))
		},
		"another place": func(dir string, n int) (string, error) {
			at, before := fmt.Sprintf("%s/m%d", dir, n), fmt.Sprintf("%s/m%d", dir, n-1)
			if n > 0 {
				err = errors.Join(unix.Unmount(before, 0), os.Remove(before))
			}
			return at + "/p", errors.Join(err, mountAt(at), os.WriteFile(at+"/p", program, 0o755))
		},
		"a name above its mount": func(dir string, n int) (string, error) {
			return renamed(dir, n, "/m/p", program, mountAt)
		},
		"a name above two mounts": func(dir string, n int) (string, error) {
			return renamed(dir, n, "/m/d/m/p", program, func(at string) error {
				return errors.Join(mountAt(filepath.Dir(filepath.Dir(at))), mountAt(at))
			})
		},
		"a name far above": func(dir string, n int) (string, error) {
			return renamed(dir, n, far+"/p", program, func(at string) error { return os.MkdirAll(at, 0o755) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Cleanup(func() { unmountBelow(t, dir) })
			inode := uint64(0)
			for n := range 5 {
				path, err := next(dir, n)
				if err == nil {
					err = exec.Command(path).Run()
				}
				var st unix.Stat_t
				if err = errors.Join(err, unix.Stat(path, &st)); err != nil {
					t.Fatal(err)
				}
				if n > 0 && st.Ino != inode {
					t.Errorf("inode %d, before it was %d: nothing can go wrong", st.Ino, inode)
				}
				inode = st.Ino
				got := cellsOf(t, r, func(exe string) bool { return strings.HasPrefix(exe, dir) })
				if len(got) != 1 || got[0].Exe != path || got[0].Count != 1 {
					t.Errorf("%+v, want one run of %s", got, path)
				}
			}
		})
	}
}

// renamed returns the path of a program below a directory that has another name for each number;
// makeDir makes the directory that it is in.
func renamed(dir string, n int, below string, program []byte, makeDir func(string) error) (string, error) {
	at := fmt.Sprintf("%s/d%d", dir, n)
	if n > 0 {
		return at + below, os.Rename(fmt.Sprintf("%s/d%d", dir, n-1), at)
	}
	return at + below, errors.Join(
		makeDir(filepath.Dir(at+below)), os.WriteFile(at+below, program, 0o755))
}

// mountAt mounts a new file system at a directory, which it makes.
func mountAt(dir string) error {
	return errors.Join(os.MkdirAll(dir, 0o755), unix.Mount("none", dir, "tmpfs", 0, ""))
}

func unmountBelow(t *testing.T, dir string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Error(err)
	}
	lines := slices.Collect(strings.Lines(string(mounts)))
	for _, line := range slices.Backward(lines) {
		if at := strings.Fields(line)[1]; strings.HasPrefix(at, dir) {
			if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
				t.Errorf("unmount %s: %v", at, err)
			}
		}
	}
}
