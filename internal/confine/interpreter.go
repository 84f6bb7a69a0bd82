// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"debug/elf"
	"io"
)

// libraryPaths is where dynamic loaders look: what a dynamically linked build
// of this program must be able to read and execute. Releases are static, but
// "go install" with a C compiler at hand makes one that is not.
func libraryPaths() []string {
	return []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/nix/store", "/gnu/store"}
}

// dynamic says whether a program needs a dynamic loader.
func dynamic(program io.ReaderAt) bool {
	f, err := elf.NewFile(program)
	if err != nil {
		return false
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}
