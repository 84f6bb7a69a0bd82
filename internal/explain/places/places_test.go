// SPDX-License-Identifier: Apache-2.0

package places

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/explain/target/targettest"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/test/testenv"
)

func self(t *testing.T) *target.Process {
	t.Helper()
	p, err := target.Open("/proc", targettest.Self(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// find returns what a search in this process's files finds.
func find(t *testing.T, ctx context.Context, files []explain.File) map[explain.File]string {
	t.Helper()
	found := map[explain.File]string{}
	if err := Find(ctx, self(t), files, func(f explain.File, p string) {
		if p != "" {
			found[f] = p
		}
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func fileOf(t *testing.T, path string) explain.File {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return explain.File{Dev: uint64(st.Dev), Ino: st.Ino} //nolint:unconvert // its width depends on the architecture
}

// What is found is what was asked for; what is not there has no path.
func TestFind(t *testing.T) {
	// Not below the temporary directory of tests, which is deep.
	dir, err := os.MkdirTemp("/var/tmp", "landlockd-places-\x1b")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	hidden := filepath.Join(dir, "file")
	if err := os.WriteFile(hidden, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/etc", "/proc", "/dev/null", dir, hidden, filepath.Join(dir, "link")}
	var files []explain.File
	for _, p := range paths {
		files = append(files, fileOf(t, p))
	}
	gone := explain.File{Dev: files[0].Dev, Ino: 1<<63 + 5}
	elsewhere := explain.File{Dev: files[0].Dev + 12345, Ino: files[4].Ino}
	found := find(t, context.Background(), append(files, gone, elsewhere))
	for f, p := range found {
		if fileOf(t, p) != f {
			t.Errorf("%q is not %+v", p, f)
		}
	}
	for i, p := range paths {
		if found[files[i]] == "" {
			t.Errorf("%q was not found", p)
		}
	}
	if found[gone] != "" || found[elsewhere] != "" {
		t.Errorf("found %q and %q, which are not there", found[gone], found[elsewhere])
	}
}

// Nothing is looked at once the time is over.
func TestFindEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if found := find(t, ctx, []explain.File{{Dev: 1, Ino: 1}}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

// TestGone: a file that was replaced by rename(2) has no path any more, if all was looked at that
// the process finds; one that is only elsewhere has.
func TestGone(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "landlockd-places-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write := func(name string) explain.File {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return fileOf(t, filepath.Join(dir, name))
	}
	rename := func(from, to string) {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	replaced, moved := write("config"), write("log")
	open, err := os.Open(filepath.Join(dir, "config")) // as a rule does, this keeps the inode
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	other := write("config.new")
	rename("config.new", "config")
	rename("log", "below/log.1")
	elsewhere := explain.File{Dev: replaced.Dev + 12345, Ino: 7}

	p := self(t)
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	p.Root.Close()
	p.Root = root
	look := func(ctx context.Context) (map[explain.File]string, map[explain.File]bool) {
		found, gone := map[explain.File]string{}, map[explain.File]bool{}
		all := []explain.File{replaced, moved, other, elsewhere}
		if err := Find(ctx, p, all, func(f explain.File, path string) {
			if path == "" {
				gone[f] = true
			} else {
				found[f] = path
			}
		}); err != nil {
			t.Fatal(err)
		}
		return found, gone
	}
	found, gone := look(context.Background())
	if len(gone) != 1 || !gone[replaced] || found[moved] != "/below/log.1" || found[other] != "/config" || len(found) != 2 {
		t.Errorf("found %v, gone %v", found, gone)
	}
	// What was not looked at may have it.
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, gone := look(over); len(gone) != 0 {
		t.Errorf("without a look: gone %v", gone)
	}
	var s search
	if s.lacks(unix.ENOENT); s.missed {
		t.Error("what is not there was missed")
	}
	if s.lacks(unix.EACCES); !s.missed {
		t.Error("a directory that could not be opened was not missed")
	}
}

func TestIsForeign(t *testing.T) {
	s := search{mounts: []procdir.Mount{{Point: "/", Type: "ext4"}, {Point: "/mnt", Type: "nfs4"}, {Point: "/mnt/a", Type: "tmpfs"}, {Point: "/x", Type: "fuse"}, {Point: "/x", Type: "tmpfs"}}}
	for path, want := range map[string]bool{"/": false, "/mnt": true, "/mnt/b/c": true, "/mnt/a": false, "/mnt/a/b": false, "/mntx": false, "/x/y": false} {
		if s.isForeign(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestFindBesideFlood: what a user makes in a directory of root's is looked at in his share, and not
// before what root has.
func TestFindBesideFlood(t *testing.T) {
	testenv.NeedRoot(t)
	top, err := os.MkdirTemp("/var/tmp", "landlockd-places-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(top)
	const directories, files = 20, 300
	for i := range directories {
		dir := filepath.Join(top, "tmp", fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for j := range files {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(j)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	deep := filepath.Join(top, "usr/share/a/b/c")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deep, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, wanted := self(t), fileOf(t, filepath.Join(deep, "file"))
	root, err := os.Open(top)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	p.Root.Close()
	p.Root = root
	s := &search{
		ctx: t.Context(), target: p, found: func(explain.File, string) {},
		wanted:  map[explain.File]bool{wanted: true},
		numbers: map[uint64]bool{wanted.Ino: true}, walked: map[explain.File]string{},
	}
	if err := s.addRoot(); err != nil {
		t.Fatal(err)
	}
	s.walk()
	if most := 3 * files; len(s.wanted) > 0 || s.looks > most {
		t.Errorf("%d entries were looked at, at most %d should be; not found: %v", s.looks, most, s.wanted)
	}
}
