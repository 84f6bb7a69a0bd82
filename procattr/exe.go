// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"
	"unique"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// exe is what is known of an executable; see the fields of [scan.Process].
type exe struct {
	path         string
	cut, deleted bool
	origin       scan.Origin
}

// place is a root directory and the mount namespace that it is in.
type place struct {
	mounts uint64 // inode of the namespace, 0 if not known
	major  uint32
	minor  uint32
	root   uint64 // inode of the root directory, 0 if not known
}

// hostPlace returns where the host's first process is, or else this one.
func hostPlace(proc int) (p place) {
	for _, name := range []string{"1", "self"} {
		dir, errno := openAt(proc, newPath(name), unix.O_PATH|unix.O_DIRECTORY)
		if errno != ok {
			continue
		}
		p.mounts, _ = inodeAt(dir, mntNSFile, unix.O_RDONLY)
		p.setRoot(dir)
		unix.Close(dir)
		if p.mounts != 0 {
			break
		}
	}
	return p
}

func (p *place) setRoot(dir int) {
	var st unix.Statx_t
	if statAt(dir, rootLink, &st) == ok {
		p.major, p.minor, p.root = st.Dev_major, st.Dev_minor, st.Ino
	}
}

// readExe reads the path.
func (i *identifier) readExe(dir int, e *exe) {
	n, errno := readlinkAt(dir, exeFile, i.buf[:longestPath+1])
	switch {
	case isGone(errno):
		return
	case errno != ok, n > longestPath:
		*e = exe{cut: errno == ok || errno == unix.ENAMETOOLONG, origin: e.origin}
		return
	}
	text := i.buf[:n]
	e.cut, e.deleted = false, false
	if path, suffix := bytes.CutSuffix(text, []byte(" (deleted)")); suffix {
		// A file that has a name is called so.
		var st unix.Statx_t
		if errno := statAt(dir, exeFile, &st); errno != ok || st.Nlink == 0 {
			text, e.deleted = path, true
		}
	}
	if string(text) != e.path {
		e.path = unique.Make(string(text)).Value()
	}
}

// origin says whose word the path is, by where the process is. Two things are not seen
// here: prctl(PR_SET_MM) in memory that it shared with a process in a user namespace,
// and that its file is in a mount of another namespace than its own.
func (i *identifier) origin(dir int, id *identity, mounts uint64) scan.Origin {
	switch {
	case id.userNS == 0 || id.mntNSOwner == 0 || mounts == 0 || i.host.mounts == 0:
		return scan.OriginUnknown
	case id.userNS != scan.InitUserNS || id.mntNSOwner != scan.InitUserNS:
		return scan.OfUser
	case mounts == i.host.mounts:
		return scan.OfHost
	}
	at := place{mounts: i.host.mounts}
	at.setRoot(dir)
	switch {
	case at.root == 0:
		return scan.OriginUnknown
	case at == i.host:
		return scan.OfHost
	default:
		return scan.OfImage
	}
}
