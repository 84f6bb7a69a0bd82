// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
)

// spot is what a socket's path leads a process to.
type spot struct {
	// missing: to something else, or nothing. denied: permissions forbid to connect.
	missing, denied bool
	doubt           string
	// above are the file and the directories above it, as far as the root
	// directory: a rule on any of them lets connect.
	above []explain.File
	// guess: a filesystem gives stat(2) other devices than rules have.
	guess bool
}

// find follows the path of a socket as the process does.
func (d *double) find(name string, k *listener) *spot {
	// A relative one begins at a directory that nobody knows.
	s := &spot{missing: !strings.HasPrefix(name, "/")}
	if !s.missing {
		d.do(func() { s.follow(name, k) })
	}
	return s
}

// follow runs on the double's thread.
func (s *spot) follow(name string, k *listener) {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		s.denied = err == unix.EACCES
		s.missing = !s.denied
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		s.missing = true
		return
	}
	s.guess = changesDevices(fd)
	at := target.FileOf(&st)
	if !k.hasFile {
		s.doubt = "this kernel does not show which file it is bound to: " +
			"it may be another socket's path"
	} else if uint32(at.Ino) != k.fileIno || kernelDev(at.Dev) != k.fileDev {
		if !s.guess {
			s.missing = true
			return
		}
		s.doubt = "its filesystem shows other numbers than the kernel has: " +
			"it may be another socket's path"
	}
	// connect(2) asks for write permission.
	s.denied = unix.Faccessat2(fd, "", unix.W_OK, unix.AT_EMPTY_PATH|unix.AT_EACCESS) != nil
	if !s.denied {
		s.climb(name, &st)
	}
}

// climb notes the directories above the socket.
func (s *spot) climb(name string, st *unix.Stat_t) {
	const highest = 256
	s.above = append(s.above, target.FileOf(st))
	dir, err := unix.Open(path.Dir(name), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for range highest {
		if err != nil {
			return
		}
		var at, up unix.Stat_t
		err = unix.Fstat(dir, &at)
		s.above = append(s.above, target.FileOf(&at))
		parent, openErr := unix.Openat(dir, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(dir)
		if err != nil || openErr != nil {
			return
		}
		// Nothing leads out of the root directory: its parent is itself.
		if err = unix.Fstat(parent, &up); err != nil || target.FileOf(&up) == target.FileOf(&at) {
			unix.Close(parent)
			return
		}
		dir = parent
	}
	unix.Close(dir)
}

// changesDevices reports whether a file is in a filesystem that gives stat(2) other
// numbers than the kernel has itself.
func changesDevices(fd int) bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) != nil || uint32(fs.Type) == unix.BTRFS_SUPER_MAGIC ||
		uint32(fs.Type) == unix.OVERLAYFS_SUPER_MAGIC
}

// kernelDev is the kernel's own number of a device.
func kernelDev(dev uint64) uint32 {
	const minorBits = 20
	return unix.Major(dev)<<minorBits | unix.Minor(dev)
}

// granted reports whether a rule of a layer, which restricts fs.resolve_unix, is
// about this path and grants it, and why that is not known.
func (s *spot) granted(rs *domainid.Ruleset) (access.Answer, string) {
	if rs == nil {
		return access.Unknown, "a layer handles fs.resolve_unix, but its rules could not be read"
	}
	right := resolveUnix.Rights()[access.FS]
	for _, rule := range rs.Inodes {
		if rule.FS&right == 0 {
			continue
		}
		if slices.Contains(s.above, explain.File{Dev: rule.Dev, Ino: rule.Ino}) {
			return access.Yes, ""
		}
		if s.guess {
			return access.Unknown, "a layer handles fs.resolve_unix, and whether its rules are " +
				"about this path is not known"
		}
	}
	if rs.InodesLeftOut > 0 {
		return access.Unknown, "a layer handles fs.resolve_unix, and not all of its rules are known"
	}
	return access.No, ""
}
