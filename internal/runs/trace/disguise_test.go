// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/test/truth"
)

// cellsOf drains the cells of runs of executables for which is holds.
func cellsOf(t *testing.T, r *Reader, is func(exe string) bool) (all []runs.Cell) {
	t.Helper()
	d, err := r.Drain()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Cells {
		if c.Kind == runs.Run && is(c.Exe) {
			all = append(all, c)
		}
	}
	return all
}

// TestRenamedDirectory: what is executed has the path that it has then, though the file was
// executed before below a directory of another name.
func TestRenamedDirectory(t *testing.T) {
	r := open(t)
	program := copyOf(t, "true")
	dir, name := filepath.Split(program)
	before := filepath.Join(dir, "before")
	if err := os.Mkdir(before, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(program, filepath.Join(before, name)); err != nil {
		t.Fatal(err)
	}
	for at := range 3 {
		now := filepath.Join(dir, strconv.Itoa(at))
		if err := os.Rename(before, now); err != nil {
			t.Fatal(err)
		}
		before = now
		want := filepath.Join(now, name)
		if err := exec.Command(want).Run(); err != nil {
			t.Fatal(err)
		}
		got := cellsOf(t, r, func(exe string) bool { return strings.HasPrefix(exe, dir) })
		if len(got) != 1 || got[0].Exe != want || got[0].Count != 1 {
			t.Errorf("%+v, want one run of %s", got, want)
		}
	}
}

// TestCgroupNames: a cgroup has its path or none, whatever names and however many are above it.
func TestCgroupNames(t *testing.T) {
	r := open(t)
	root, own := ownCgroup(t)
	program := copyOf(t, "true")
	// With their NULs the names up to that of another's unit come to all that is read.
	const victim = "system.slice/victim.service"
	long := strings.Repeat("x", int(objectSizesNAME_SIZE)-1)
	rest := int(objectSizesGROUP_SIZE) - len(long) - 1 - len(victim) - 1 - 1
	for name, c := range map[string]struct {
		path  string
		known bool
	}{
		"usual":             {"a b.service/c", true},
		"cut at a unit":     {victim + "/" + strings.Repeat("y", rest) + "/" + long, false},
		"a byte less":       {victim + "/" + strings.Repeat("y", rest-1) + "/" + long, false},
		"as deep as looked": {strings.Repeat("d/", 200) + "e", true},
		"too deep":          {strings.Repeat("d/", int(objectSizesLEVELS)) + "victim.service", false},
	} {
		path := filepath.Join(own, c.path)
		within(t, filepath.Join(root, own), filepath.Join(root, path), func(in *syscall.SysProcAttr) {
			cmd := exec.Command(program)
			cmd.SysProcAttr = in
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
		got := cellsOf(t, r, func(exe string) bool { return exe == program })
		if !c.known {
			path = ""
		}
		if len(got) != 1 || got[0].Cgroup != path || got[0].Count != 1 || got[0].CgroupID == 0 || got[0].Folded {
			t.Errorf("%s: %+v, want one run in %q", name, got, path)
		}
	}
}

// within has do run in a cgroup what it gives these attributes; it is removed then with all above
// it up to own.
func within(t *testing.T, own, cgroup string, do func(*syscall.SysProcAttr)) {
	t.Helper()
	if err := os.MkdirAll(cgroup, 0o755); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for ; strings.HasPrefix(cgroup, own); cgroup = filepath.Dir(cgroup) {
			if err := truth.RemoveCgroup(cgroup); err != nil {
				t.Error(err)
			}
		}
	}()
	dir, err := os.Open(cgroup)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	do(&syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())})
}

// ownCgroup returns where cgroup2 is mounted, and the path of a cgroup that no other test has.
func ownCgroup(t *testing.T) (root, own string) {
	t.Helper()
	if root = cgroupfs.Find("/proc", "/sys/fs/cgroup").V2; root == "" {
		t.Fatal("no cgroup2 is mounted below /sys/fs/cgroup")
	}
	return root, "/landlockdtest" + strconv.Itoa(os.Getpid()) + ".slice"
}
