// SPDX-License-Identifier: Apache-2.0

package textfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const text = "landlock_enabled 1\n"

func content(w io.Writer) error {
	_, err := io.WriteString(w, text)
	return err
}

// names returns what is in a directory.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// holds checks that a file holds a text, with a mode, and that it is no link.
func holds(t *testing.T, path, want string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode() != mode {
		t.Errorf("%s has mode %v (%v), want %v", path, st.Mode(), err, mode)
	}
}

func TestWrite(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077)) // everybody may read it nevertheless
	path := filepath.Join(t.TempDir(), "landlockd.prom")
	for range 2 {
		if err := Write(path, content); err != nil {
			t.Fatal(err)
		}
		holds(t, path, text, 0o644)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the directory has %q", got)
	}
}

// TestWriteBesideOwner: what the owner of the directory, or of one above, does while the
// file is written reaches no file elsewhere.
func TestWriteBesideOwner(t *testing.T) {
	const secret = "root's own"
	for name, act := range map[string]func(t *testing.T, dir, unfinished, victim string){
		"a symbolic link in the file's place": func(t *testing.T, _, unfinished, victim string) {
			swap(t, unfinished, func() error { return os.Symlink(victim, unfinished) })
		},
		"a hard link in the file's place": func(t *testing.T, _, unfinished, victim string) {
			swap(t, unfinished, func() error { return os.Link(victim, unfinished) })
		},
		"another directory in the directory's place": func(t *testing.T, dir, unfinished, victim string) {
			// There, the unfinished name is the victim's.
			elsewhere := filepath.Dir(victim)
			err := errors.Join(os.Rename(dir, dir+".away"), os.Symlink(elsewhere, dir),
				os.Link(victim, filepath.Join(elsewhere, filepath.Base(unfinished))))
			if err != nil {
				t.Fatal(err)
			}
		},
		"a symbolic link where the file is to be": func(t *testing.T, dir, _, victim string) {
			if err := os.Symlink(victim, filepath.Join(dir, "landlockd.prom")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			dir, victim := filepath.Join(base, "textfile"), filepath.Join(base, "root", "secret")
			err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(filepath.Dir(victim), 0o700),
				os.WriteFile(victim, []byte(secret), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			acted := false
			_ = Write(filepath.Join(dir, "landlockd.prom"), func(w io.Writer) error {
				for _, n := range names(t, dir) {
					if strings.HasPrefix(n, "landlockd.prom.") {
						act(t, dir, filepath.Join(dir, n), victim)
						acted = true
					}
				}
				return content(w)
			})
			if !acted {
				t.Fatal("the unfinished file was not found")
			}
			holds(t, victim, secret, 0o600)
		})
	}
}

func swap(t *testing.T, unfinished string, put func() error) {
	t.Helper()
	if err := errors.Join(os.Remove(unfinished), put()); err != nil {
		t.Fatal(err)
	}
}

// TestWriteFails: a file that was there stays as it was, alone.
func TestWriteFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "landlockd.prom")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	if err := Write(path, func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
	holds(t, path, "old", 0o644)
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the directory has %q", got)
	}
	if err := Write(filepath.Join(path, "x"), content); err == nil {
		t.Error("below a file: no error")
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]error{
		filepath.Join(dir, "none"): nil, dir: ErrNotRegular, os.DevNull: ErrNotRegular,
	} {
		if err := Check(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
