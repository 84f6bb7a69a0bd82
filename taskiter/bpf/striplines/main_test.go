// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// TestStripped: of what is stripped nothing more can be, and what is cut anywhere is refused.
func TestStripped(t *testing.T) {
	f, err := elf.Open("../../object_bpfel.o")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ext, err := f.Section(".BTF.ext").Data()
	if err != nil {
		t.Fatal(err)
	}
	again, err := withoutLines(bytes.Clone(ext))
	if err != nil || !bytes.Equal(again, ext) {
		t.Errorf("%d bytes of %d are left: %v", len(again), len(ext), err)
	}
	for n := range ext {
		if _, err := withoutLines(bytes.Clone(ext[:n])); err == nil {
			t.Fatalf("%d bytes of %d are taken for whole", n, len(ext))
		}
	}
}

// TestLinesOfFunctionsStay: of a section with a function all lines but that of its begin go.
func TestLinesOfFunctionsStay(t *testing.T) {
	order := binary.BigEndian
	words := func(all ...uint32) (b []byte) {
		for _, w := range all {
			b = order.AppendUint32(b, w)
		}
		return b
	}
	object := func(lines ...uint32) []byte {
		functions, relocations := words(8, 1, 1, 64, 0), words(16)
		part := words(lines...)
		n, m := uint32(len(functions)), uint32(len(part))
		return append(words(0xeb9f0100, header, 0, n, n, m, n+m, uint32(len(relocations))),
			append(append(functions, part...), relocations...)...)
	}
	got, err := withoutLines(object(8, 1, 3, 0, 7, 64, 8, 72, 9, 2, 1, 64, 5))
	if want := object(8, 1, 1, 64, 8); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
}
