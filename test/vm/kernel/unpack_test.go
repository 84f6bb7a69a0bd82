// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// bzImage returns one whose packed kernel is given, with its size behind it.
func bzImage(packed []byte) []byte {
	b := make([]byte, 3*sector+16, 3*sector+16+len(packed)+4)
	b[setupSectors] = 2
	copy(b[headerMagic:], "HdrS")
	binary.LittleEndian.PutUint32(b[payloadOffset:], 16)
	binary.LittleEndian.PutUint32(b[payloadLength:], uint32(len(packed)+4))
	b = append(b, packed...)
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

func TestPayload(t *testing.T) {
	var packed []byte
	for _, p := range packings {
		packed = []byte(p.magic + "rest")
		got, program, err := payload(bzImage(packed))
		if err != nil || !bytes.Equal(got, packed) || !slices.Equal(program, p.program) {
			t.Errorf("payload is %q, unpacked by %v, %v; want %q, %v", got, program, err, packed, p.program)
		}
	}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "not a bzImage"},
		{"arm64", make([]byte, 4096), "not a bzImage"},
		{"cut short", bzImage(packed)[:3*sector+18], "it has"},
		{"gzip", bzImage([]byte{0x1f, 0x8b, 8, 0}), "begins with 1f 8b 08 00"},
		{"nothing packed", bzImage(nil), "nothing is known"},
	} {
		if _, _, err := payload(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q in it", c.name, err, c.want)
		}
	}
}
