// SPDX-License-Identifier: Apache-2.0

// Package cpio writes the archives that Linux unpacks as its first root
// filesystem: "newc" format, see Documentation/driver-api/early-userspace/buffer-format.rst
// in the kernel's source.
package cpio

import (
	"errors"
	"fmt"
	"io"
)

// Types of file, the upper bits of an inode's mode.
const (
	typeCharDevice = 0o020000
	typeDir        = 0o040000
	typeFile       = 0o100000
	typeSymlink    = 0o120000
)

// Writer writes one archive. Its methods do nothing after the first error,
// which Close returns.
type Writer struct {
	w   io.Writer
	n   int64 // bytes written
	ino uint32
	err error
}

// entry is one header with what follows it.
type entry struct {
	name         string
	mode         uint32
	links        int
	major, minor uint32
	content      []byte
}

// NewWriter returns a Writer of an archive to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Dir adds a directory. Parents must be added before what is in them.
func (w *Writer) Dir(name string, perm uint32) {
	w.add(entry{name: name, mode: typeDir | perm, links: 2})
}

// File adds a regular file that has one or more names.
func (w *Writer) File(perm uint32, content []byte, names ...string) {
	w.ino++
	for _, name := range names {
		w.put(entry{name: name, mode: typeFile | perm, links: len(names), content: content})
		content = nil // further names of an inode come without it
	}
}

// Symlink adds a symbolic link to a path.
func (w *Writer) Symlink(to, name string) {
	w.add(entry{name: name, mode: typeSymlink | 0o777, links: 1, content: []byte(to)})
}

// CharDevice adds a character device. The kernel opens /dev/console for its
// first process before anything is mounted.
func (w *Writer) CharDevice(name string, perm, major, minor uint32) {
	w.add(entry{name: name, mode: typeCharDevice | perm, links: 1, major: major, minor: minor})
}

// Close ends the archive.
func (w *Writer) Close() error {
	w.ino = 0
	w.put(entry{name: "TRAILER!!!", links: 1})
	return w.err
}

// add writes an entry with an inode of its own.
func (w *Writer) add(e entry) {
	w.ino++
	w.put(e)
}

// put writes an entry of the current inode.
func (w *Writer) put(e entry) {
	if w.err == nil && (e.name == "" || e.name[0] == '/') {
		w.err = errors.New("cpio: a name must be relative and not empty")
	}
	text := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		w.ino, e.mode, 0, 0, e.links, 0, len(e.content), 0, 0, e.major, e.minor, len(e.name)+1, 0)
	w.write([]byte(text + e.name + "\x00"))
	w.pad()
	w.write(e.content)
	w.pad()
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.n += int64(n)
	w.err = err
}

// pad fills up to a multiple of four bytes.
func (w *Writer) pad() { w.write(make([]byte, -w.n&3)) }
