// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"errors"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/dirent"
)

// Limits of one pattern: whoever may make files can have them match.
const (
	// maxEntries is how many entries of directories are read, and maxMatches how many paths
	// a pattern can stand for.
	maxEntries = 1 << 15
	maxMatches = 64
)

// errTooMany: a pattern stands for more than is looked at.
var errTooMany = errors.New("too many names")

// meta reports whether a part of a path is a pattern.
func meta(part string) bool { return strings.ContainsAny(part, `*?[\`) }

// glob returns the paths that a pattern stands for, in order. With an error, there may be others.
func (t *tree) glob(pattern string) (paths []string, err error) {
	parts := strings.Split(strings.TrimPrefix(pattern, "/"), "/")
	paths = []string{""}
	left := maxEntries
	for i, part := range parts {
		var next []string
		for _, dir := range paths {
			if !meta(part) {
				next = append(next, dir+"/"+part)
				continue
			}
			names, e := t.match(dir+"/", part, maxMatches-len(next), &left)
			if e != nil {
				err = e
			}
			for _, name := range names {
				next = append(next, dir+"/"+name)
			}
		}
		if paths = next; i == len(parts)-1 {
			slices.Sort(paths)
		}
	}
	return paths, err
}

// match returns the names in a directory that match a pattern, at most so many, and reads no
// more entries than are left. A directory that is not there has none.
func (t *tree) match(dir, pattern string, most int, left *int) (names []string, err error) {
	fd, err := t.open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return nil, t.hidden(dir + "x")
	case err != nil:
		return nil, err
	}
	defer unix.Close(fd)
	any := false
	for e, err := range dirent.Read(fd, make([]byte, 1<<15)) {
		if err != nil {
			return names, err
		}
		any = true
		if *left--; *left < 0 {
			return names, errTooMany
		}
		name := string(e.Name)
		if ok, err := path.Match(pattern, name); err != nil || !ok || strings.Contains(name, "/") {
			continue
		}
		if len(names) >= most {
			return names, errTooMany
		}
		names = append(names, name)
	}
	if !any {
		return nil, t.hidden(dir + "x")
	}
	return names, nil
}
