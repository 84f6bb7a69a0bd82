// SPDX-License-Identifier: Apache-2.0

// Striplines reads section .BTF.ext of a BPF object, and writes it without which line of the source
// an instruction is of: a fourth of the object, and only what the verifier says of a program that
// it refuses has it. The lines in which functions begin stay: kernels want all of those, or none.
//
// .BTF.ext is a header (magic, version, flags; its own length; offset and length of what is known
// of functions, of lines, and of relocations) with these three behind it. Each is the size of a
// record and, for each section of instructions, the section's name, the number of records, and
// those; a record begins with the instruction's offset. Documentation/bpf/btf.rst has it.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	// Where they are in the header. Offsets count from its end.
	headerLength, functions, lines, relocations = 4, 8, 16, 24
	header                                      = 32
	magic                                       = 0xeb9f
)

func main() {
	ext, err := io.ReadAll(os.Stdin)
	if err == nil {
		ext, err = withoutLines(ext)
	}
	if err == nil {
		_, err = os.Stdout.Write(ext)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "striplines: .BTF.ext:", err)
		os.Exit(1)
	}
}

var errShort = errors.New("it is cut")

// withoutLines leaves of the lines those in which functions begin.
func withoutLines(ext []byte) ([]byte, error) {
	if len(ext) < header {
		return nil, errShort
	}
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint16(ext) == magic {
		order = binary.BigEndian
	}
	if order.Uint16(ext) != magic || order.Uint32(ext[headerLength:]) != header {
		return nil, errors.New("another header")
	}
	part := func(at int) (begin, end int) {
		begin = header + int(order.Uint32(ext[at:]))
		return begin, begin + int(order.Uint32(ext[at+4:]))
	}
	first, endOfFunctions := part(functions)
	begin, end := part(lines)
	next, endOfAll := part(relocations)
	if first != header || endOfFunctions != begin || end != next || endOfAll != len(ext) {
		return nil, errors.New("not functions, lines and relocations, in that order")
	}
	type place struct{ section, instruction uint32 }
	begins := map[place]bool{}
	_, err := filter(ext[first:begin], order, func(section, instruction uint32) bool {
		begins[place{section, instruction}] = true
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	kept, err := filter(ext[begin:end], order, func(section, instruction uint32) bool {
		return begins[place{section, instruction}]
	})
	if err != nil {
		return nil, fmt.Errorf("lines: %w", err)
	}
	order.PutUint32(ext[lines+4:], uint32(len(kept)))
	order.PutUint32(ext[relocations:], uint32(begin-header+len(kept)))
	return slices.Concat(ext[:begin], kept, ext[end:]), nil
}

// filter keeps some records of a part. Sections of which none is kept are left out.
func filter(part []byte, order binary.ByteOrder, keep func(section, instruction uint32) bool,
) (kept []byte, err error) {
	const word = 4
	if len(part) < word {
		return nil, errShort
	}
	size := int(order.Uint32(part))
	kept, part = append(kept, part[:word]...), part[word:]
	for len(part) > 0 {
		if len(part) < 2*word || size < word {
			return nil, errShort
		}
		name, n := order.Uint32(part), int(order.Uint32(part[word:]))
		head, records := part[:2*word], part[2*word:]
		if n > len(records)/size {
			return nil, errShort
		}
		begin, left := len(kept), uint32(0)
		kept = append(kept, head...)
		for record := range slices.Chunk(records[:n*size], size) {
			if keep(name, order.Uint32(record)) {
				kept = append(kept, record...)
				left++
			}
		}
		order.PutUint32(kept[begin+word:], left)
		if left == 0 {
			kept = kept[:begin]
		}
		part = records[n*size:]
	}
	return kept, nil
}
