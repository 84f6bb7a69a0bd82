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

// selfIn is this process with another root directory.
func selfIn(t *testing.T, dir string) *target.Process {
	t.Helper()
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := self(t)
	p.Root.Close()
	p.Root = root // which Close closes
	return p
}

// temp makes a directory that is not below the temporary directory of tests, which is deep.
func temp(t *testing.T, pattern string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", pattern)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// fill makes a directory with so many files, which are called by numbers.
func fill(t *testing.T, dir string, files int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// walkFor walks below a root directory, and returns the search for one file in it.
func walkFor(t *testing.T, root, file string) *search {
	t.Helper()
	s, err := newSearch(t.Context(), selfIn(t, root), []explain.File{fileOf(t, file)}, func(explain.File, string) {})
	if err != nil {
		t.Fatal(err)
	}
	s.walk()
	if len(s.wanted) > 0 {
		t.Errorf("%s was not found", file)
	}
	return s
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
	dir := temp(t, "landlockd-places-\x1b")
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
	dir := temp(t, "landlockd-places-")
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

	p := selfIn(t, dir)
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
	covering := search{mounts: []procdir.Mount{{Point: "/"}, {Point: "/a/b"}, {Point: "/c"}, {Point: "/a"}}}
	for path, want := range map[string]bool{"/": false, "/a": false, "/a/b": true, "/a/b/d": true, "/c": false} {
		if _, covered := covering.mountOf(path); covered != want {
			t.Errorf("%s is covered: %v", path, covered)
		}
	}
	s := search{mounts: []procdir.Mount{{Point: "/", Type: "ext4"}, {Point: "/mnt", Type: "nfs4"}, {Point: "/mnt/a", Type: "tmpfs"}, {Point: "/x", Type: "fuse"}, {Point: "/x", Type: "tmpfs"}}}
	for path, want := range map[string]bool{"/": false, "/mnt": true, "/mnt/b/c": true, "/mnt/a": false, "/mnt/a/b": false, "/mntx": false, "/x/y": false} {
		if s.isForeign(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestFindBesideFlood: what a user makes in a directory of root's is looked at in his share, and
// not before what root has.
func TestFindBesideFlood(t *testing.T) {
	testenv.NeedRoot(t)
	top := temp(t, "landlockd-places-")
	const directories, files = 20, 300
	for i := range directories {
		dir := filepath.Join(top, "tmp", fmt.Sprint(i))
		fill(t, dir, files)
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	deep := filepath.Join(top, "usr/share/a/b/c")
	fill(t, deep, 1)
	s := walkFor(t, top, filepath.Join(deep, "0"))
	if most := 3 * files; s.looks > most {
		t.Errorf("%d entries were looked at, at most %d should be", s.looks, most)
	}
}

// TestFindBesideLong: of a directory with very many entries each turn has some, all in the end.
func TestFindBesideLong(t *testing.T) {
	top := temp(t, "landlockd-places-")
	long, deep := filepath.Join(top, "long"), filepath.Join(top, "usr/share/a/b/c")
	const files = 3*maxEntries + maxEntries/2
	fill(t, long, files)
	fill(t, deep, 1)
	s := walkFor(t, top, filepath.Join(deep, "0"))
	if most := 3*maxEntries + 100; s.looks > most {
		t.Errorf("%d entries were looked at, at most %d should be", s.looks, most)
	}
	// The last one that the directory has.
	entries, err := os.Open(long)
	if err != nil {
		t.Fatal(err)
	}
	defer entries.Close()
	names, err := entries.Readdirnames(-1)
	if err != nil || len(names) != files {
		t.Fatalf("%d names: %v", len(names), err)
	}
	s = walkFor(t, top, filepath.Join(long, names[files-1]))
	if s.looks < files || !s.missed {
		t.Errorf("%d entries were looked at; not all at one time: %v", s.looks, s.missed)
	}
}

// TestMissed: where something may have a path that was not looked at nothing is said to be gone.
func TestMissed(t *testing.T) {
	top := temp(t, "landlockd-places-")
	fill(t, filepath.Join(top, "dir"), 1)
	at := fileOf(t, filepath.Join(top, "dir"))
	for name, c := range map[string]struct {
		mounts []string
		walked string // where the directory was looked at before
		path   string
		want   bool
	}{
		"a directory":                           {path: "/dir"},
		"one that was moved":                    {path: "/moved", want: true},
		"a mount point that is covered":         {mounts: []string{"/moved"}, path: "/moved"},
		"again":                                 {walked: "/dir", path: "/dir", mounts: []string{"/dir/m"}},
		"by another path":                       {walked: "/bind", path: "/dir"},
		"by another path, mounted on":           {walked: "/bind", path: "/dir", mounts: []string{"/bind"}},
		"by another path, with something below": {walked: "/bind", path: "/dir", mounts: []string{"/bind/m"}, want: true},
	} {
		s := &search{
			ctx: t.Context(), target: selfIn(t, top), walked: map[explain.File]string{},
			wanted: map[explain.File]bool{{Ino: 1}: true},
		}
		for _, m := range c.mounts {
			s.mounts = append(s.mounts, procdir.Mount{Point: m})
		}
		if c.walked != "" {
			s.walked[at] = c.walked
		}
		s.list(part{path: c.path}, s.turns.queue(share{at.Dev, os.Getuid() == 0, false}))
		if s.missed != c.want {
			t.Errorf("%s: missed: %v", name, s.missed)
		}
	}
}
