// SPDX-License-Identifier: Apache-2.0

// Package dirent reads directories by getdents64(2): with the inode numbers, which
// os.ReadDir leaves out, and into memory that is used again.
package dirent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"

	"golang.org/x/sys/unix"
)

// Entry is one entry of a directory.
type Entry struct {
	Ino uint64
	// Next is the offset in the directory of what follows, for lseek(2).
	Next int64
	Kind uint8 // unix.DT_DIR, ...
	// Name shares the memory that was read into.
	Name []byte
}

var errMalformed = errors.New("getdents64(2) returned something else than directory entries")

// Cut returns the first entry of what one getdents64(2) returned, and the rest. It
// does not allocate.
func Cut(b []byte) (e Entry, rest []byte, err error) {
	const header = 19 // struct linux_dirent64 up to d_name
	size := 0
	if len(b) >= header {
		size = int(binary.NativeEndian.Uint16(b[16:]))
	}
	if size < header || size > len(b) {
		return e, nil, errMalformed
	}
	e = Entry{
		Ino: binary.NativeEndian.Uint64(b), Next: int64(binary.NativeEndian.Uint64(b[8:])),
		Kind: b[18], Name: b[header:size],
	}
	if end := bytes.IndexByte(e.Name, 0); end >= 0 {
		e.Name = e.Name[:end]
	}
	return e, b[size:], nil
}

// Read yields the entries of an open directory, without "." and "..", each valid until
// the next. It reads into buf.
func Read(fd int, buf []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			n, err := unix.Getdents(fd, buf)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if n <= 0 || !each(buf[:n], yield) {
				return
			}
		}
	}
}

// ReadPath is Read of the directory at a path.
func ReadPath(path string, buf []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer unix.Close(fd)
		Read(fd, buf)(yield)
	}
}

// each yields the entries of one getdents64(2), and reports whether to go on.
func each(b []byte, yield func(Entry, error) bool) bool {
	for len(b) > 0 {
		e, rest, err := Cut(b)
		if err != nil {
			yield(Entry{}, err)
			return false
		}
		b = rest
		if name := string(e.Name); name == "" || name == "." || name == ".." {
			continue
		}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}
