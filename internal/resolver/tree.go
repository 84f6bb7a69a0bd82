// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// errChanging: a path led to something else while it was looked at.
var errChanging = errors.New("it changed meanwhile")

// tree is what paths of assets begin at: the root directory, or where that of the host is
// mounted in a container.
type tree struct {
	fd int
	// own: it is the root directory. That of another mount namespace, /proc/1/root, is not.
	own    bool
	prefix string // of paths in it as this process sees them; may be empty
}

func openTree(root string) (*tree, error) {
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	t := &tree{fd: fd, own: root == "/"}
	if t.prefix, err = linkOf(fd); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("path of %s: %w", root, err)
	}
	if t.prefix == "/" {
		t.prefix = ""
	}
	return t, nil
}

// open follows an absolute path as open(2) does. Where links must not lead out of the tree
// that takes openat2(2), which units of systemd may forbid (RestrictSUIDSGID=).
func (t *tree) open(path string, flags int) (fd int, err error) {
	flags |= unix.O_CLOEXEC
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT}
	for try := 0; ; try++ {
		if t.own {
			fd, err = unix.Open(path, flags, 0)
		} else {
			fd, err = unix.Openat2(t.fd, path, &how)
		}
		// A path with "..", while others rename something: the kernel does not look twice.
		again := errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) && try < maxTries
		if !again {
			return fd, err
		}
	}
}

const maxTries = 8

// linkOf returns the path of what is open, as this process sees it.
func linkOf(fd int) (string, error) {
	link, err := readLink(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd))
	if err == nil && (link == "" || link[0] != '/') {
		err = errChanging // it is not below the root directory
	}
	return link, err
}

// readLink returns where a link leads to.
func readLink(dir int, path string) (string, error) {
	var few [256]byte // most are short, and a goroutine's stack is small
	b := few[:]
	n, err := unix.Readlinkat(dir, path, b)
	if err == nil && n == len(b) {
		b = make([]byte, unix.PathMax)
		n, err = unix.Readlinkat(dir, path, b)
	}
	switch {
	case err != nil:
		return "", err
	case n == len(b):
		return "", errChanging // no path is so long
	}
	return string(b[:n]), nil
}

// pathOf returns the path in the tree of what is open.
func (t *tree) pathOf(fd int) (string, error) {
	link, err := linkOf(fd)
	if err != nil {
		return "", err
	}
	path, inside := strings.CutPrefix(link, t.prefix)
	switch {
	case !inside || path != "" && path[0] != '/':
		return "", errChanging
	case path == "":
		return "/", nil
	}
	return path, nil
}

// split cuts a path behind its last slash, and changes nothing else of it: "..", behind a
// link, leads elsewhere than one would think.
func split(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i], path[i:]
}

// place is one that a path leads to.
type place struct {
	domainid.ObjectKind
	fd   int    // or -1
	path string // which links led to
	// parents are the directories that have a file or socket in them, and then each link that
	// stands at the end of a path to it.
	parents []place
}

// follow opens what is at a path. It is absent only if there is nothing.
func (t *tree) follow(path string, opened *[]int) (place, error) {
	fd, err := t.open(path, unix.O_PATH)
	if err != nil {
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			return place{ObjectKind: domainid.ObjectAbsent, fd: -1, path: path}, t.hidden(path)
		}
		return place{}, err
	}
	*opened = append(*opened, fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return place{}, err
	}
	p := place{ObjectKind: kindOf(&st), fd: fd}
	if p.path, err = t.pathOf(fd); err != nil {
		return place{}, err
	}
	if p.ObjectKind == domainid.ObjectDirectory {
		return p, gone(&st)
	}
	dir, base := split(p.path)
	if err := p.isIn(t, dir, base, &st, opened); err != nil {
		return place{}, err
	}
	if p.path != path {
		err = p.links(t, path, opened)
	}
	return p, err
}

// gone is the error of a directory that was removed. Some file systems do not count links.
func gone(st *unix.Stat_t) error {
	if st.Nlink == 0 {
		return errChanging
	}
	return nil
}

func kindOf(st *unix.Stat_t) domainid.ObjectKind {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return domainid.ObjectDirectory
	case unix.S_IFSOCK:
		return domainid.ObjectSocket
	default:
		return domainid.ObjectFile
	}
}

// isIn adds the directory that a file is in.
func (p *place) isIn(t *tree, dir, base string, st *unix.Stat_t, opened *[]int) error {
	parent, err := t.directory(dir, opened)
	if err != nil {
		return err
	}
	var there unix.Stat_t
	err = unix.Fstatat(parent.fd, base, &there, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || there.Dev != st.Dev || there.Ino != st.Ino {
		return errChanging
	}
	p.parents = append(p.parents, parent)
	return nil
}

// links adds the directories of the links at the end of a path: whoever may write there has
// the path lead elsewhere.
func (p *place) links(t *tree, path string, opened *[]int) error {
	const most = 8
	for range most {
		dir, base := split(path)
		parent, err := t.directory(dir, opened)
		if err != nil {
			return err
		}
		link, err := readLink(parent.fd, base)
		switch {
		case errors.Is(err, unix.EINVAL): // no link: the file
			return nil
		case err != nil:
			return errChanging
		}
		if !slices.ContainsFunc(p.parents, func(o place) bool { return o.path == parent.path }) {
			p.parents = append(p.parents, parent)
		}
		if path = link; path == "" || path[0] != '/' {
			path = parent.path + "/" + path
		}
	}
	return errTooMany
}

func (t *tree) directory(path string, opened *[]int) (place, error) {
	fd, err := t.open(path, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return place{}, errChanging // it was there just now
	}
	*opened = append(*opened, fd)
	p := place{ObjectKind: domainid.ObjectDirectory, fd: fd}
	p.path, err = t.pathOf(fd)
	return p, err
}

// errHidden: a directory that nobody has rights to stands for others, as ProtectHome= and
// InaccessiblePaths= of systemd have it: what is below is not absent on the host.
var errHidden = errors.New("a directory above it is hidden from this process")

// hidden returns why a path at which there is nothing is not absent, or nil.
func (t *tree) hidden(path string) error {
	for path != "/" && path != "" {
		dir, _ := split(path)
		path = strings.TrimRight(dir, "/")
		fd, err := t.open(path+"/", unix.O_PATH)
		switch {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
			continue
		case err != nil:
			return err
		}
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		unix.Close(fd)
		if err == nil && st.Mode&0o7777 == 0 {
			err = errHidden
		}
		return err
	}
	return nil
}
