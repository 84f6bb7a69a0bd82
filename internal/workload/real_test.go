// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/scan"
)

const cgroupFS = "/sys/fs/cgroup"

// realRoots are the mounted hierarchies that a resolver uses here.
func realRoots(t testing.TB) (v2, v1 string) {
	t.Helper()
	host := cgroupfs.Find("/proc", cgroupFS)
	v2, v1 = host.V2, host.V1.Dir
	if v2 == "" && v1 == "" || os.Geteuid() != 0 {
		if testing.Short() {
			t.Skip("needs root and cgroups")
		}
		t.Fatal("needs root and a cgroup hierarchy at /sys/fs/cgroup; -short leaves this out")
	}
	return v2, v1
}

// realSlice makes a slice of the test's own, which goes with the test.
func realSlice(t testing.TB, root string) string {
	t.Helper()
	dir := filepath.Join(root, fmt.Sprintf("landlockdtest%d.slice", os.Getpid()))
	t.Cleanup(func() { removeCgroups(t, dir) })
	makeCgroup(t, dir)
	return dir
}

func makeCgroup(t testing.TB, dir string) uint64 {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// removeCgroups removes a cgroup and those below: of its files none can be removed.
func removeCgroups(t testing.TB, dir string) {
	t.Helper()
	below, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	for _, d := range below {
		if d.IsDir() {
			removeCgroups(t, filepath.Join(dir, d.Name()))
		}
	}
	if err := unix.Rmdir(dir); err != nil {
		t.Errorf("rmdir %s: %v", dir, err)
	}
}

func TestRealCgroups(t *testing.T) {
	v2, v1 := realRoots(t)
	for _, root := range []string{v2, v1} {
		if root == "" {
			continue
		}
		t.Run(filepath.Base(root), func(t *testing.T) {
			slice := realSlice(t, root)
			ids := []uint64{
				makeCgroup(t, filepath.Join(slice, "a.service")),
				makeCgroup(t, filepath.Join(slice, "b.service/x/y/z")),
				makeCgroup(t, filepath.Join(slice, "user@7.service/app.slice/c.service")),
				makeCgroup(t, filepath.Join(slice, "docker-"+id+".scope")),
				makeCgroup(t, filepath.Join(slice, "\xff\x1b")),
			}
			r := Open(Options{})
			defer r.Close()
			if l := r.Limits(); l != "" {
				t.Fatal(l)
			}
			var ps []scan.Process
			for _, id := range ids {
				p := scan.Process{Exe: "/bin/x", CgroupID: id}
				if root == v1 {
					p.CgroupID, p.CgroupV1ID = rootID, id
				}
				ps = append(ps, p)
			}
			b := &bench{Resolver: r}
			s := snapshot(ps...)
			expect(t, b.names(t, s), "a.service", "b.service", "user@/c.service", "container:x", "x")
			if w := s.WorkloadOf(&s.Processes[4]); w.Cgroup != "/"+filepath.Base(slice)+"/\xff\x1b" {
				t.Errorf("%+v", *w)
			}
			if w := s.WorkloadOf(&s.Processes[1]); !w.Delegated || w.Unit != "b.service" || w.Slice != filepath.Base(slice) {
				t.Errorf("%+v", *w)
			}
			err := os.Rename(filepath.Join(slice, "a.service"), filepath.Join(slice, "new.service"))
			if (err == nil) != (root == v1) {
				t.Errorf("rename: %v, but only in a v1 hierarchy a cgroup can be renamed", err)
			}
			if err == nil {
				r.clock = func() time.Time { return time.Now().Add(2 * renewV1) }
				expect(t, b.names(t, snapshot(ps[0])), "new.service")
			}
		})
	}
}

// Where systemd has no hierarchy, that of a controller names processes: the real one,
// to a resolver that is shown no other.
func TestRealController(t *testing.T) {
	lines, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	proc := t.TempDir()
	text := strings.ReplaceAll(string(lines), "name=systemd", "name=openrc")
	if err := errors.Join(os.Mkdir(filepath.Join(proc, "self"), 0o755),
		os.WriteFile(filepath.Join(proc, "self/cgroup"), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	host := cgroupfs.Find(proc, cgroupFS)
	if host.Unified {
		if host.V1 != (cgroupfs.V1{}) {
			t.Errorf("%+v beside v2", host.V1)
		}
		return
	}
	if host.V1.Dir == "" {
		if testing.Short() {
			t.Skip("needs a v1 hierarchy")
		}
		t.Fatal("needs a v1 hierarchy at /sys/fs/cgroup; -short leaves this out")
	}
	dir := filepath.Join(host.V1.Dir, fmt.Sprintf("landlockdtest%d", os.Getpid()))
	t.Cleanup(func() { removeCgroups(t, dir) })
	container := makeCgroup(t, filepath.Join(dir, id))
	r := Open(Options{ProcFS: proc})
	defer r.Close()
	b := &bench{Resolver: r}
	s := snapshot(scan.Process{Exe: "/bin/x", CgroupID: rootID, CgroupV1ID: container},
		scan.Process{Exe: "/bin/x", CgroupID: rootID, CgroupV1ID: rootID},
		scan.Process{Exe: "/bin/x", CgroupID: rootID})
	expect(t, b.names(t, s), "container:x", "x", "x")
	if w := s.WorkloadOf(&s.Processes[1]); w.Cgroup != "/" {
		t.Errorf("at the root of both: %+v", *w)
	}
	if w := s.WorkloadOf(&s.Processes[2]); w.Cgroup != "" {
		t.Errorf("at the root of v2, and v1 is not known: %+v", *w)
	}
}

// BenchmarkAssign is what naming the workloads of 10 000 processes in 2 000 real
// cgroups costs: in the steady state, after one cgroup more appeared, and at first.
func BenchmarkAssign(b *testing.B) {
	v2, v1 := realRoots(b)
	root := v2
	if v1 != "" {
		root = v1
	}
	slice := realSlice(b, root)
	ids := make([]uint64, 2000)
	for i := range ids {
		ids[i] = makeCgroup(b, filepath.Join(slice, fmt.Sprintf("landlockdtest-%02d.slice/x%d.service", i%20, i)))
	}
	ps := make([]scan.Process, 10_000)
	for i := range ps {
		ps[i] = scan.Process{CgroupID: ids[i%len(ids)], Exe: "/bin/x"}
		if root == v1 {
			ps[i].CgroupID, ps[i].CgroupV1ID = rootID, ids[i%len(ids)]
		}
	}
	s := snapshot(ps...)
	b.Run("steady", func(b *testing.B) {
		r := Open(Options{})
		defer r.Close()
		r.Assign(s)
		b.ReportAllocs()
		for b.Loop() {
			r.Assign(s)
		}
	})
	b.Run("executables", func(b *testing.B) {
		for i := range s.Processes {
			s.Processes[i].Exe = fmt.Sprintf("/usr/lib/some/where/x%d", i%300)
			s.Processes[i].CgroupID, s.Processes[i].CgroupV1ID = rootID, 0
		}
		r := Open(Options{})
		defer r.Close()
		r.Assign(s)
		b.ReportAllocs()
		for b.Loop() {
			r.Assign(s)
		}
		s = snapshot(ps...)
	})
	b.Run("walk", func(b *testing.B) {
		r := Open(Options{})
		defer r.Close()
		r.Assign(s)
		for b.Loop() {
			r.walkAll()
		}
	})
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			r := Open(Options{})
			r.Assign(s)
			r.Close()
		}
	})
}
