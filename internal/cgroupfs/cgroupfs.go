// SPDX-License-Identifier: Apache-2.0

// Package cgroupfs finds the hierarchies of cgroups that name processes on a host.
//
// Where cgroup2 is mounted at /sys/fs/cgroup itself, that one names them, whatever
// else is mounted. Elsewhere a v1 hierarchy does: container runtimes that know
// nothing of a v2 hierarchy beside the others leave their containers out of it.
package cgroupfs

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
)

// maxText bounds how much of /proc/self/cgroup is read: a kernel has at most as many
// hierarchies as controllers, and a few with a name.
const maxText = 64 << 10

// V1 is the v1 hierarchy that names processes.
type V1 struct {
	// ID is the hierarchy's number in /proc/[pid]/cgroup; 0 if there is none.
	ID uint32
	// Dir is where it is mounted; empty if it is not.
	Dir string
}

// Host is what names processes on a host.
type Host struct {
	// V2 is where cgroup2 is mounted; empty if it is not.
	V2 string
	// Unified reports whether it is mounted in the place of all others. V1 is zero then.
	Unified bool
	V1      V1
	// Legacy reports whether there is a v1 hierarchy with controllers, or the one of
	// systemd, so that the v2 path of a process is not all there is to know.
	Legacy bool
}

// Find looks at the hierarchies that are mounted below a directory, as
// /sys/fs/cgroup, and at those that /proc/self/cgroup lists.
func Find(procFS, cgroupFS string) Host {
	if mounted(cgroupFS, unix.CGROUP2_SUPER_MAGIC) != "" {
		return Host{V2: cgroupFS, Unified: true}
	}
	v2 := mounted(filepath.Join(cgroupFS, "unified"), unix.CGROUP2_SUPER_MAGIC)
	lines := listed(procFS)
	v1 := choose(lines, func(name string) string {
		return mounted(filepath.Join(cgroupFS, name), unix.CGROUP_SUPER_MAGIC)
	})
	return Host{V2: v2, V1: v1, Legacy: legacy(lines)}
}

// listed returns what /proc/self/cgroup lists: in the proc file system that is
// given, or else in this process's own. Numbers and names are the kernel's, and the
// same in both.
func listed(procFS string) Lines {
	for _, proc := range []string{procFS, "/proc"} {
		name := filepath.Join(proc, "self/cgroup")
		if text, err := procdir.ReadAt(unix.AT_FDCWD, name, maxText); err == nil {
			return text
		}
	}
	return nil
}

// Lines is the text of a file /proc/[pid]/cgroup: lines "ID:CONTROLLERS:PATH". The
// kernel escapes line feeds in paths.
type Lines []byte

// Line is one of them. It shares the memory of the text.
type Line struct {
	ID          uint32
	Controllers []byte // empty of v2, "name=NAME" of one without controllers
	Path        []byte
}

// All yields the lines that are understood. It does not allocate.
func (b Lines) All(yield func(Line) bool) {
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		number, rest, _ := bytes.Cut(line, []byte{':'})
		controllers, path, _ := bytes.Cut(rest, []byte{':'})
		id, n := procdir.LeadingNumber(number)
		if n == 0 || n != len(number) || id > math.MaxUint32 || len(path) == 0 || path[0] != '/' {
			continue
		}
		if !yield(Line{uint32(id), controllers, path}) {
			return
		}
	}
}

// legacy reports whether a v1 hierarchy has controllers or is systemd's.
func legacy(lines Lines) bool {
	for l := range lines.All {
		controllers := string(l.Controllers)
		if l.ID != 0 && controllers != "" &&
			(controllers == systemd || !strings.HasPrefix(controllers, "name=")) {
			return true
		}
	}
	return false
}

// systemd is the hierarchy that systemd names processes in where it uses v1.
const systemd = "name=systemd"

// choose returns the hierarchy that names processes: systemd's, mounted or not, or
// else the first that is mounted, by controllers that every container runtime uses.
// dirOf returns where one is mounted, by the name that its directory has; empty if
// it is not.
func choose(lines Lines, dirOf func(name string) string) V1 {
	for _, want := range []string{systemd, "freezer", "memory", "pids", "devices", "cpu"} {
		for l := range lines.All {
			all := string(l.Controllers)
			controllers := strings.Split(all, ",")
			if l.ID == 0 || !slices.Contains(controllers, want) {
				continue
			}
			dir := ""
			// All controllers together name its directory, or one of them does.
			for _, name := range append([]string{all}, controllers...) {
				name = strings.TrimPrefix(name, "name=")
				if dir == "" && name != "" && name != ".." && !strings.Contains(name, "/") {
					dir = dirOf(name)
				}
			}
			if dir != "" || want == systemd {
				return V1{ID: l.ID, Dir: dir}
			}
		}
	}
	return V1{}
}

// mounted returns a directory that is in a file system of a type; else nothing.
func mounted(dir string, magic int64) string {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	if err != nil || int64(st.Type) != magic { //nolint:unconvert // 32 bits on some architectures
		return ""
	}
	return dir
}
