// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// longestPath is that of a path that the kernel gives.
const longestPath = unix.PathMax - 1

// maxInterval is the number of scans after which a process's identity is read
// again although nothing shows that it changed. Credentials, cgroup and seccomp
// filters change without an execve(2).
const maxInterval = 64

// entry is what is kept of one process from scan to scan.
type entry struct {
	facts facts
	start uint64 // nanoseconds since boot
	scan  uint64 // the last in which it was there

	// What shows a new program: exec counts the changes.
	exec   uint64
	mm     procdir.MMMarks
	comm   scan.Comm
	domain answer // of the first thread
	uid    uint32

	hardening scan.Hardening // of a single thread

	due, interval uint64 // scans
	identity
}

// identity is what is read of a process only now and then.
type identity struct {
	exe
	cgroup, cgroupV1   uint64
	userNS, mntNSOwner uint32
}

// changed notes what the scan found of a process, and reports whether its identity
// is to be read again: at once after a change, then after 1, 2, 4 and up to 64
// scans.
func (e *entry) changed(scans uint64, pid int32, uid uint32, st *stat, first answer) bool {
	// A leader that has exited has no memory; the process has.
	exec := st.MM != e.mm && !st.Dead()
	if exec {
		e.exec++
		e.exe = exe{}
	}
	if e.interval == 0 || exec || st.Comm != e.comm || first != e.domain || uid != e.uid {
		if !st.Dead() {
			e.mm = st.MM
		}
		e.comm, e.domain, e.uid = st.Comm, first, uid
		e.interval = 1
		e.due = scans + 1
		return true
	}
	if scans < e.due {
		return false
	}
	grows := e.interval < maxInterval
	e.interval = min(2*e.interval, maxInterval)
	e.due = scans + e.interval
	if grows && e.interval == maxInterval {
		// Those that one scan found are not to be read by one again.
		e.due -= uint64(pid) % (maxInterval / 2)
	}
	return true
}

// identifier reads identities. What cannot be read stays zero.
type identifier struct {
	host place // the host's, as far as it is known
	// Roots of cgroup hierarchies, or -1; and the number of the v1 one.
	cgroupV2, cgroupV1 int
	v1                 uint32
	buf                []byte
	path               path
}

func newIdentifier(host cgroupfs.Host) *identifier {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
	i := &identifier{buf: make([]byte, 16<<10), v1: host.V1.ID}
	i.cgroupV2, _ = unix.Open(host.V2, flags, 0) // -1 if there is none
	i.cgroupV1, _ = unix.Open(host.V1.Dir, flags, 0)
	return i
}

func (i *identifier) close() {
	for _, fd := range []int{i.cgroupV2, i.cgroupV1} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// read reads the identity of the process in a directory. The scan found it
// alive before; where it is gone by now, what is there stays.
func (i *identifier) read(dir int, id *identity) {
	i.readExe(dir, &id.exe)
	if n, errno := readAt(dir, cgroupFile, i.buf); errno == ok && n < len(i.buf) {
		v2, v1 := parseCgroup(i.buf[:n], i.v1)
		id.cgroup, id.cgroupV1 = i.inodeOf(i.cgroupV2, v2), i.inodeOf(i.cgroupV1, v1)
	}
	if ino, errno := inodeAt(dir, userNSFile, unix.O_RDONLY); errno == ok {
		id.userNS = uint32(ino)
	}
	mounts := uint64(0)
	if fd, errno := openAt(dir, mntNSFile, unix.O_RDONLY); errno == ok {
		id.mntNSOwner, mounts = ownerOf(fd), inode(fd)
		unix.Close(fd)
	}
	id.origin = i.origin(dir, id, mounts)
}

// inodeAt opens what a path leads to, and returns its inode number.
func inodeAt(dir int, p path, flags int) (uint64, unix.Errno) {
	fd, errno := openAt(dir, p, flags)
	if errno != ok {
		return 0, errno
	}
	defer unix.Close(fd)
	return inode(fd), ok
}

func inode(fd int) uint64 {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0
	}
	return uint64(st.Ino) //nolint:unconvert // 32 bits on some architectures
}

// ownerOf returns the inode of the user namespace that owns a namespace.
func ownerOf(ns int) uint32 {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(ns), unix.NS_GET_USERNS, 0)
	if errno != ok {
		return 0
	}
	defer unix.Close(int(fd))
	return uint32(inode(int(fd)))
}

// inodeOf returns the inode number of a cgroup's directory; 0 if there is none
// below the root that is held, as for one outside this cgroup namespace.
func (i *identifier) inodeOf(root int, cgroup []byte) uint64 {
	if root < 0 || len(cgroup) == 0 || bytes.HasPrefix(cgroup, []byte("/..")) {
		return 0
	}
	i.path = append(append(append(i.path[:0], '.'), cgroup...), 0)
	ino, _ := inodeAt(root, i.path, unix.O_PATH|unix.O_NOFOLLOW)
	return ino
}
