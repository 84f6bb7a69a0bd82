// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/dirent"
)

// path is a path relative to a directory, with a NUL at its end, in memory that
// is used again: the strings of package unix would be copied for each call.
type path []byte

func newPath(s string) path { return append(path(s), 0) }

// task sets the path to a number and what follows, which ends with a NUL.
func (p *path) task(id int32, rest path) path {
	*p = strconv.AppendInt((*p)[:0], int64(id), 10)
	*p = append(*p, rest...)
	return *p
}

// Paths that are opened for every process; none is ever changed.
var (
	nothing                    = newPath("")
	taskDir, exeFile, rootLink = newPath("task"), newPath("exe"), newPath("root")
	cgroupFile                 = newPath("cgroup")
	userNSFile, mntNSFile      = newPath("ns/user"), newPath("ns/mnt")
	statFile, statusFile       = newTaskFile("stat"), newTaskFile("status")
)

// taskFile is a file that a process has and each of its threads has, too.
type taskFile struct {
	own path // below the process's directory
	of  path // behind the number of a thread
}

func newTaskFile(name string) taskFile { return taskFile{newPath(name), newPath("/" + name)} }

// at returns where a file of a thread is; of the process's own directory for 0.
func (r *reader) at(tid int32, f *taskFile) (dir int, p path) {
	if tid == 0 {
		return r.dir, f.own
	}
	return r.task, r.path.task(tid, f.of)
}

// Errors are returned as numbers: to box one in an interface would allocate.
const ok = unix.Errno(0)

// openAt opens without waiting: what looks like a file of the kernel's may be a
// FIFO in a tree that is none.
func openAt(dir int, p path, flags int) (int, unix.Errno) {
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&p[0])),
			uintptr(flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY), 0, 0, 0)
		if errno != unix.EINTR {
			return int(fd), errno
		}
	}
}

// readAt opens, reads once and closes: the kernel writes its small files in one piece.
func readAt(dir int, p path, b []byte) (int, unix.Errno) {
	fd, errno := openAt(dir, p, unix.O_RDONLY)
	if errno != ok {
		return 0, errno
	}
	defer unix.Close(fd)
	for {
		n, _, errno := unix.Syscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])),
			uintptr(len(b)))
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

func getdents(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_GETDENTS64, uintptr(fd), uintptr(unsafe.Pointer(&b[0])),
		uintptr(len(b)))
	return int(n), errno
}

func rewind(fd int) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_LSEEK, uintptr(fd), 0, unix.SEEK_SET)
	return errno
}

// exists reports whether a path leads to something; links are followed.
func exists(dir int, p path) bool {
	_, _, errno := unix.Syscall(unix.SYS_FACCESSAT, uintptr(dir), uintptr(unsafe.Pointer(&p[0])),
		unix.F_OK)
	return errno == ok
}

func readlinkAt(dir int, p path, b []byte) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&p[0])),
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0)
	return int(n), errno
}

// statAt looks at what a path leads to. It does not wait for a slow file system: then
// the answer is what the kernel knows already.
func statAt(dir int, p path, st *unix.Statx_t) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(&p[0])),
		unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, unix.STATX_INO|unix.STATX_NLINK,
		uintptr(unsafe.Pointer(st)), 0)
	return errno
}

// isGone reports whether a task, or what names it, is no more.
func isGone(errno unix.Errno) bool { return errno == unix.ESRCH || errno == unix.ENOENT }

func isDenied(errno unix.Errno) bool { return errno == unix.EACCES || errno == unix.EPERM }

// dirEntry is one task in a directory of tasks. The inode number is that of the
// entry's inode, of which the kernel makes one for each task that it lists: equal
// numbers in two listings mean the same task, unless it took another's place by
// execve(2).
type dirEntry struct {
	id  int32
	ino uint64
}

// numbers appends the entries of one getdents64(2) whose names are decimal
// numbers without zeros in front.
func numbers(b []byte, to []dirEntry) ([]dirEntry, error) {
	for len(b) > 0 {
		e, rest, err := dirent.Cut(b)
		if err != nil {
			return to, err
		}
		if v, isNumber := parseDecimal(e.Name, 1<<31-1); isNumber && v > 0 {
			to = append(to, dirEntry{id: int32(v), ino: e.Ino})
		}
		b = rest
	}
	return to, nil
}
