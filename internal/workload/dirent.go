// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"

	"golang.org/x/sys/unix"
)

// dirent is one entry of a directory.
type dirent struct {
	ino  uint64
	kind uint8  // unix.DT_DIR, ...
	name []byte // valid until the next entry
}

// header is the size of struct linux_dirent64 up to d_name.
const header = 19

var errBadListing = errors.New("getdents64(2) returned something else than directory entries")

// listing yields the entries of an open directory, without "." and "..". It reads
// with a buffer that is given.
func listing(fd int, buf []byte) iter.Seq2[dirent, error] {
	return func(yield func(dirent, error) bool) {
		for {
			n, err := unix.Getdents(fd, buf)
			if err != nil || n <= 0 {
				if err != nil {
					yield(dirent{}, err)
				}
				return
			}
			if !entries(buf[:n], yield) {
				return
			}
		}
	}
}

// entries yields the entries of one getdents64(2), and reports whether to go on.
func entries(b []byte, yield func(dirent, error) bool) bool {
	for len(b) > 0 {
		size := 0
		if len(b) >= header {
			size = int(binary.NativeEndian.Uint16(b[16:]))
		}
		if size < header || size > len(b) {
			yield(dirent{}, errBadListing)
			return false
		}
		d := dirent{ino: binary.NativeEndian.Uint64(b), kind: b[18], name: b[header:size]}
		if end := bytes.IndexByte(d.name, 0); end >= 0 {
			d.name = d.name[:end]
		}
		b = b[size:]
		if s := string(d.name); s == "" || s == "." || s == ".." {
			continue
		}
		if !yield(d, nil) {
			return false
		}
	}
	return true
}
