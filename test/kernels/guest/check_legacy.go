// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// checkLegacy mounts cgroups as hosts without systemd do (OpenRC): v1 hierarchies of
// controllers, and v2 beside them, in which container runtimes put nothing.
func checkLegacy(t *T) {
	const mounted = "/sys/fs/cgroup"
	mount := func(kind, name, options string) {
		at := filepath.Join(mounted, name)
		t.Must(os.MkdirAll(at, 0o755))
		t.Must(unix.Mount(kind, at, kind, 0, options))
		t.Cleanup(func() { t.Must(unix.Unmount(at, 0)) })
	}
	mount("tmpfs", "", "mode=0755")
	mount("cgroup", "freezer", "freezer")
	mount("cgroup2", "unified", "")
	id := strings.Repeat("0123456789abcdef", 4)
	root, inside := startSleeper(t), startSleeper(t)
	for _, dir := range []string{"docker", "docker/" + id} {
		dir = filepath.Join(mounted, "freezer", dir)
		t.Must(os.Mkdir(dir, 0o755))
		t.Cleanup(func() { t.Must(unix.Rmdir(dir)) })
	}
	move := func(s *sleeper, cgroup string) {
		procs := filepath.Join(mounted, "freezer", cgroup, "cgroup.procs")
		t.Must(os.WriteFile(procs, []byte(strconv.Itoa(s.pid)), 0o644))
	}
	move(inside, "docker/"+id)
	t.Cleanup(func() { move(inside, "") })

	source := workload.NewSource(openAnother(t), workload.Open(workload.Options{}))
	t.Cleanup(func() { t.Must(source.Close()) })
	snap := scanOnce(t, source)
	for _, c := range []struct {
		s    *sleeper
		kind scan.WorkloadKind
		path string
	}{{root, scan.Executable, "/"}, {inside, scan.InContainer, "/docker/" + id}} {
		p := snap.Find(int32(c.s.pid))
		if p == nil {
			t.Fatalf("process %d is not in the snapshot", c.s.pid)
		}
		if w := snap.WorkloadOf(p); w == nil || w.Kind != c.kind || w.Cgroup != c.path {
			t.Errorf("process in cgroup %s: %+v, want a workload of kind %v", c.path, w, c.kind)
		}
	}
}
