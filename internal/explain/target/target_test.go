// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain/target/targettest"
	"github.com/landlockd/landlockd/internal/procdir"
)

func TestOpen(t *testing.T) {
	p := targettest.Self(t)
	target, err := Open("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	p.Start += 1e9
	if _, err := Open("/proc", p); !errors.Is(err, procdir.ErrOther) {
		t.Errorf("another process with the PID: %v", err)
	}
	// What a path leads to is found below the root directory, whatever is in it.
	dir := t.TempDir()
	if err := os.Symlink("/../../etc", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	inDir := &Process{Dir: target.Dir, all: target.all}
	if inDir.Root, err = procdir.OpenAt(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY); err != nil {
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
