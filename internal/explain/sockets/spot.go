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

// Spot is what a socket's path leads a process to.
type Spot struct {
	// Missing: to something else, or nothing. Denied: permissions forbid to connect.
	Missing bool `json:"missing"`
	Denied  bool `json:"denied"`
	// Doubt is why neither may be so after all, in words.
	Doubt string `json:"doubt"`
	// Above are the file and the directories above it, as far as the root
	// directory: a rule on any of them lets connect.
	Above []explain.File `json:"above"`
	// Guess: a filesystem gives stat(2) other devices than rules have.
	Guess bool `json:"guess"`
}

// find follows the path of a socket as the process does.
func (d *double) find(name string, k *listener) *Spot {
	// A relative one begins at a directory that nobody knows.
	s := &Spot{Missing: !strings.HasPrefix(name, "/")}
	if !s.Missing {
		d.do(func() { s.follow(name, k) })
	}
	return s
}

// follow runs on the double's thread.
func (s *Spot) follow(name string, k *listener) {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		s.Denied = err == unix.EACCES
		s.Missing = !s.Denied
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		s.Missing = true
		return
	}
	s.Guess = changesDevices(fd)
	at := target.FileOf(&st)
	if !k.hasFile {
		s.Doubt = "this kernel does not show which file it is bound to: " +
			"it may be another socket's path"
	} else if uint32(at.Ino) != k.fileIno || kernelDev(at.Dev) != k.fileDev {
		if !s.Guess {
			s.Missing = true
			return
		}
		s.Doubt = "its filesystem shows other numbers than the kernel has: " +
			"it may be another socket's path"
	}
	// connect(2) asks for write permission.
	s.Denied = unix.Faccessat2(fd, "", unix.W_OK, unix.AT_EMPTY_PATH|unix.AT_EACCESS) != nil
	if !s.Denied {
		s.climb(name, &st)
	}
}

// climb notes the directories above the socket.
func (s *Spot) climb(name string, st *unix.Stat_t) {
	const highest = 256
	s.Above = append(s.Above, target.FileOf(st))
	dir, err := unix.Open(path.Dir(name), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for range highest {
		if err != nil {
			return
		}
		var at, up unix.Stat_t
		err = unix.Fstat(dir, &at)
		s.Above = append(s.Above, target.FileOf(&at))
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
func (s *Spot) granted(rs *domainid.Ruleset) (access.Answer, string) {
	if rs == nil {
		return access.Unknown, "a layer handles fs.resolve_unix, but its rules could not be read"
	}
	right := resolveUnix.Rights()[access.FS]
	for _, rule := range rs.Inodes {
		if rule.FS&right == 0 {
			continue
		}
		if slices.Contains(s.Above, explain.File{Dev: rule.Dev, Ino: rule.Ino}) {
			return access.Yes, ""
		}
		if s.Guess {
			return access.Unknown, "a layer handles fs.resolve_unix, and whether its rules are " +
				"about this path is not known"
		}
	}
	if rs.InodesLeftOut > 0 {
		return access.Unknown, "a layer handles fs.resolve_unix, and not all of its rules are known"
	}
	return access.No, ""
}
