// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// maxNames is how many names are kept before those are forgotten that no cell needs.
const maxNames = 4096

// names are what executables are called, by their numbers, or cgroups, by their IDs.
type names map[nameKey]name

type nameKey struct {
	id uint64
	v1 bool
}

type name struct {
	path string // empty: it is not known
	bits uint32
}

// read adds the records of one read. Cgroups have a hierarchy in bits, and a path of no names.
func (n names) read(b []byte, cgroups bool) error {
	const head = int(unsafe.Sizeof(objectNameRecord{}))
	most := uint32(objectSizesPATH_SIZE + objectSizesNAME_SIZE)
	for len(b) > 0 {
		if len(b) < head {
			return fmt.Errorf("%d bytes of a name, expected %d", len(b), head)
		}
		var rec objectNameRecord
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&rec)), head), b)
		b = b[head:]
		size := rec.Size
		if size > most {
			size = 0
		}
		if int(size) > len(b) {
			return fmt.Errorf("a name of %d bytes in %d", size, len(b))
		}
		at, is := nameKey{id: rec.Id}, name{bits: rec.Bits}
		if is.path = pathOf(b[:size]); cgroups {
			at.v1, is.bits = rec.Bits == 1, 0
			if rec.Size == 0 {
				is.path = "/"
			}
		}
		if known, ok := n[at]; ok && known.path == is.path {
			is.path = known.path
		}
		n[at] = is
		b = b[size:]
	}
	return nil
}

// pathOf joins names, each with a NUL behind it and the last one first.
func pathOf(b []byte) string {
	if len(b) == 0 || b[len(b)-1] != 0 {
		return ""
	}
	parts := bytes.Split(b[:len(b)-1], []byte{0})
	slices.Reverse(parts)
	var path strings.Builder
	for _, part := range parts {
		path.WriteByte('/')
		path.Write(part)
	}
	return path.String()
}

// keep takes a name over, if it is known there.
func (n names) keep(from names, k nameKey) {
	if is, ok := from[k]; ok {
		n[k] = is
	}
}
