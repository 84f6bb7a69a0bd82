// SPDX-License-Identifier: Apache-2.0

// Package bpffile keeps BPF maps and links open as files, which another process can
// inherit: whoever has a program's link needs no capability to use it.
package bpffile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Files are maps and links, in order.
type Files []*os.File

// Keep adds a descriptor of its own of a map or link of cilium/ebpf, which may be closed
// then. Not every kind of link has one.
func (f *Files) Keep(object any, name string) error {
	o, ok := object.(interface{ FD() int })
	if !ok {
		return fmt.Errorf("%s has no descriptor", name)
	}
	fd, err := unix.FcntlInt(uintptr(o.FD()), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return fmt.Errorf("%s: fcntl(F_DUPFD_CLOEXEC): %w", name, err)
	}
	*f = append(*f, os.NewFile(uintptr(fd), "landlockd-"+name))
	return nil
}

// Close closes all.
func (f Files) Close() {
	for _, file := range f {
		file.Close()
	}
}
