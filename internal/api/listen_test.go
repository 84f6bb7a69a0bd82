// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListen(t *testing.T) {
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	dir := t.TempDir()
	path := filepath.Join(dir, "made", "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode() != fs.ModeSocket|0o666 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if now := unix.Umask(0o077); now != 0o077 {
		t.Errorf("the umask is %o afterwards", now)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("beside a live one: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file went: %v", err)
	}
	for range 2 { // it is as dead then as after a crash
		again, err := Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"", "s", "@s", "./s", file, link, dir, filepath.Join(dir, "no", "such", "s"), filepath.Join(file, "s"), filepath.Join(dir, strings.Repeat("x", maxPath)),
	} {
		if l, err := Listen(path); err == nil {
			l.Close()
			t.Errorf("%q was accepted", path)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "text" {
		t.Errorf("the file is %q, %v", b, err)
	}
}

// TestLongestPath: as long as the kernel takes.
func TestLongestPath(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, strings.Repeat("x", maxPath-len(dir)-1))
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// TestListenBesideOwner: whoever owns the directory above, and puts another one in the place
// of the socket's, has no file in that removed.
func TestListenBesideOwner(t *testing.T) {
	above := t.TempDir()
	dir, other := filepath.Join(above, "dir"), filepath.Join(above, "other")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(other, 0o755)); err != nil {
		t.Fatal(err)
	}
	victim, err := os.Create(filepath.Join(other, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	done, stopped := make(chan struct{}), make(chan struct{})
	defer func() { close(done); <-stopped }()
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
			}
		}
	}()
	for range 500 {
		if l, err := Listen(filepath.Join(dir, "s")); err == nil {
			l.Close() // it is dead then, in whichever directory it was made
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(victim.Fd()), &st); err != nil || st.Nlink != 1 {
			t.Fatalf("the file has %d names (%v)", st.Nlink, err)
		}
	}
}
