// SPDX-License-Identifier: Apache-2.0

package places

import (
	"bytes"
	"encoding/binary"
)

// entries reads what getdents64(2) returned: of each entry its inode number, its
// length, its kind and its name.
func entries(b []byte, each func(name string, ino uint64, kind byte)) {
	const inode, length, kind, name = 0, 16, 18, 19
	for len(b) > name {
		n := int(binary.NativeEndian.Uint16(b[length:]))
		if n <= name || n > len(b) {
			return
		}
		text, _, _ := bytes.Cut(b[name:n], []byte{0})
		if s := string(text); s != "." && s != ".." && s != "" {
			each(s, binary.NativeEndian.Uint64(b[inode:]), b[kind])
		}
		b = b[n:]
	}
}
