// SPDX-License-Identifier: Apache-2.0

package places

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/explain/target/targettest"
	"github.com/landlockd/landlockd/internal/procdir"
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
	if err := Find(ctx, self(t), files, func(f explain.File, p string) { found[f] = p }); err != nil {
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

func TestIsForeign(t *testing.T) {
	s := search{mounts: []procdir.Mount{{Point: "/", Type: "ext4"}, {Point: "/mnt", Type: "nfs4"}, {Point: "/mnt/a", Type: "tmpfs"}, {Point: "/x", Type: "fuse"}, {Point: "/x", Type: "tmpfs"}}}
	for path, want := range map[string]bool{"/": false, "/mnt": true, "/mnt/b/c": true, "/mnt/a": false, "/mnt/a/b": false, "/mntx": false, "/x/y": false} {
		if s.isForeign(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
