// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// libraryPaths is where dynamic loaders look: what a dynamically linked build
// of this program must be able to read and execute. Releases are static, but
// "go install" with a C compiler at hand makes one that is not.
func libraryPaths() []string {
	return []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
		"/etc/ld.so.cache", "/nix/store", "/gnu/store"}
}

// dynamic reports whether this program was started by a dynamic loader: the kernel
// passes programs its address. The program's file need not be readable.
func dynamic() (bool, error) {
	const atBase = 7 // AT_BASE of getauxval(3)
	values, err := unix.Auxv()
	if err != nil {
		return false, fmt.Errorf("auxiliary vector of this process: %w", err)
	}
	loaded := func(v [2]uintptr) bool { return v[0] == atBase && v[1] != 0 }
	return slices.ContainsFunc(values, loaded), nil
}
