// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
)

// rootID is the ID of the root of every hierarchy (kernel/cgroup/cgroup.c).
const rootID = 1

// hierarchy is one mount of a cgroup file system.
type hierarchy struct {
	root int // a descriptor; -1 if there is no such mount
	// part reports whether the mount shows only what is below some cgroup, as in a
	// cgroup namespace.
	part bool
}

// absent is a hierarchy that is not mounted.
func absent() hierarchy { return hierarchy{root: -1} }

// openHierarchy opens one by where it is mounted, empty if it is not.
func openHierarchy(path string) hierarchy {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return absent()
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
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

// hierarchies are those that name processes.
type hierarchies struct {
	// v2 is mounted in the place of all others, or beside them ("hybrid").
	v2 hierarchy
	// v1 is that of them that names processes: systemd's, where it has one.
	v1 hierarchy
	// unified reports whether v2 alone does, whatever else is mounted.
	unified bool
	// legacy reports whether v1 does where its path is more than "/". If it cannot be
	// read, a process at the root of v2 may be anywhere.
	legacy bool
}

// openHierarchies opens those that name processes on this host.
func openHierarchies(procFS, cgroupFS string) hierarchies {
	host := cgroupfs.Find(procFS, cgroupFS)
	return hierarchies{
		v2: openHierarchy(host.V2), v1: openHierarchy(host.V1.Dir),
		unified: host.Unified, legacy: host.Legacy,
	}
}

// limits returns what keeps paths from being found; empty if nothing does.
func (h *hierarchies) limits(cgroupFS string) string {
	switch {
	case h.v2.root < 0 && h.v1.root < 0:
		return fmt.Sprintf("no cgroup hierarchy that names processes is mounted at %s", cgroupFS)
	case h.legacy && h.v1.root < 0:
		return fmt.Sprintf("none of the v1 cgroup hierarchies that name processes here "+
			"can be read at %s", cgroupFS)
	case h.v2.part || h.v1.part:
		return fmt.Sprintf("only a part of the cgroups is mounted at %s, as in a cgroup namespace", cgroupFS)
	default:
		return ""
	}
}
