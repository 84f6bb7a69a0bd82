// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// rootID is the ID of the root of every hierarchy (kernel/cgroup/cgroup.c).
const rootID = 1

// hierarchy is one mount of a cgroup file system.
type hierarchy struct {
	root int // a descriptor; -1 if there is no such mount
	// part says that the mount shows only what is below some cgroup, as in a
	// cgroup namespace.
	part bool
}

// absent is a hierarchy that is not mounted.
func absent() hierarchy { return hierarchy{root: -1} }

// openHierarchy opens a directory if it is in a file system of a type.
func openHierarchy(path string, magic int64) hierarchy {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return absent()
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Fstatfs(fd, &fs) != nil || int64(fs.Type) != magic || unix.Fstat(fd, &st) != nil { //nolint:unconvert // 32 bits on some architectures
		unix.Close(fd)
		return absent()
	}
	return hierarchy{root: fd, part: st.Ino != rootID}
}

func (h *hierarchy) close() {
	if h.root >= 0 {
		unix.Close(h.root)
	}
	*h = absent()
}

// hierarchies are those that systemd names processes in.
type hierarchies struct {
	// v2 is mounted in the place of all others, or beside them ("hybrid").
	v2 hierarchy
	// systemd is the v1 hierarchy of that name.
	systemd hierarchy
	// unified says that systemd uses v2 alone, whatever else is mounted.
	unified bool
}

// openHierarchies looks for the layouts of systemd: unified, hybrid and legacy.
func openHierarchies(cgroupFS string) hierarchies {
	if h := openHierarchy(cgroupFS, unix.CGROUP2_SUPER_MAGIC); h.root >= 0 {
		return hierarchies{v2: h, systemd: absent(), unified: true}
	}
	return hierarchies{
		v2:      openHierarchy(cgroupFS+"/unified", unix.CGROUP2_SUPER_MAGIC),
		systemd: openHierarchy(cgroupFS+"/systemd", unix.CGROUP_SUPER_MAGIC),
	}
}

// limits says what keeps paths from being found; empty if nothing does.
func (h *hierarchies) limits(cgroupFS string) string {
	switch {
	case h.v2.root < 0 && h.systemd.root < 0:
		return fmt.Sprintf("no cgroup hierarchy that systemd uses is mounted at %s", cgroupFS)
	case h.v2.part || h.systemd.part:
		return fmt.Sprintf("only a part of the cgroups is mounted at %s, as in a cgroup namespace", cgroupFS)
	default:
		return ""
	}
}
