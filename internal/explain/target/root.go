// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Root is the root directory of one thread.
type Root struct {
	// Dir is open (O_PATH). Close it.
	Dir *os.File
	// Path is as the kernel gives it: from the reader's root directory, or in
	// another mount namespace from the top of that. Hostile text.
	Path string
	// Mounts names the thread's mount namespace, "mnt:[4026531841]".
	Mounts string
}

// RootOf returns the root directory of a thread of the process.
func (t *Process) RootOf(tid int32) (Root, error) {
	name := fmt.Sprintf("task/%d/", tid)
	var r Root
	var err error
	if r.Path, err = t.link(t.all, name+"root"); err != nil {
		return r, err
	}
	if r.Mounts, err = t.link(t.all, name+"ns/mnt"); err != nil {
		return r, err
	}
	if r.Dir, err = open(int(t.all.Fd()), name+"root", unix.O_PATH|unix.O_DIRECTORY); err != nil {
		return r, fmt.Errorf("open the root directory of thread %d: %w", tid, err)
	}
	return r, nil
}
