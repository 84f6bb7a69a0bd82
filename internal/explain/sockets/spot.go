// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// spot is what a socket's path leads a process to.
type spot struct {
	// missing: to something else, or nothing. denied: permissions forbid to connect.
	missing, denied bool
	doubt           string
	// above are the file and the directories above it, as far as the root
	// directory: a rule on any of them lets connect.
	above []file
	// guess: a filesystem gives stat(2) other devices than rules have.
	guess bool
}

type file struct{ dev, ino uint64 }

// find follows the path of a socket as the process does.
func (d *double) find(name string, k *listener) *spot {
	s := &spot{}
	if !strings.HasPrefix(name, "/") {
		s.missing = true // relative to a directory that nobody knows
		return s
	}
	d.do(func() { s.follow(name, k) })
	return s
}

// follow runs on the double's thread.
func (s *spot) follow(name string, k *listener) {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
	case unix.EACCES:
		s.denied = true
		return
	default:
		s.missing = true
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		s.missing = true
		return
	}
	s.guess = changesDevices(fd)
	at := fileOf(&st)
	if !k.hasFile {
		s.doubt = "this kernel does not show which file it is bound to: " +
			"it may be another socket's path"
	} else if uint32(at.ino) != k.fileIno || kernelDev(at.dev) != k.fileDev {
		if !s.guess {
			s.missing = true
			return
		}
		s.doubt = "its filesystem shows other numbers than the kernel has: " +
			"it may be another socket's path"
	}
	// connect(2) asks for write permission.
	if err := unix.Faccessat2(fd, "", unix.W_OK, unix.AT_EMPTY_PATH|unix.AT_EACCESS); err != nil {
		s.denied = true
		return
	}
	s.climb(name, &st)
}

// climb notes the directories above the socket.
func (s *spot) climb(name string, st *unix.Stat_t) {
	const highest = 256
	s.above = append(s.above, fileOf(st))
	dir, err := unix.Open(path.Dir(name), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for range highest {
		if err != nil {
			return
		}
		var at, up unix.Stat_t
		err = unix.Fstat(dir, &at)
		s.above = append(s.above, fileOf(&at))
		parent, openErr := unix.Openat(dir, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(dir)
		if err != nil || openErr != nil {
			return
		}
		// Nothing leads out of the root directory: its parent is itself.
		if err = unix.Fstat(parent, &up); err != nil || fileOf(&up) == fileOf(&at) {
			unix.Close(parent)
			return
		}
		dir = parent
	}
	unix.Close(dir)
}

func fileOf(st *unix.Stat_t) file {
	return file{uint64(st.Dev), st.Ino} //nolint:unconvert // its width depends on the architecture
}

// changesDevices reports whether a file is in a filesystem that gives stat(2) other
// numbers than the kernel has itself.
func changesDevices(fd int) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) != nil {
		return true
	}
	switch uint32(fs.Type) {
	case unix.BTRFS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
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
		for _, at := range s.above {
			if rule.Dev == at.dev && rule.Ino == at.ino {
				return access.Yes, ""
			}
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
