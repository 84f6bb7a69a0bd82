// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// The header of a bzImage (Documentation/arch/x86/boot.rst), by offset.
const (
	setupSectors  = 0x1f1 // how many sectors stand before the part whose offsets count
	headerMagic   = 0x202
	payloadOffset = 0x248
	payloadLength = 0x24c
	headerEnd     = 0x250
	sector        = 512
)

// packings are how Debian packs kernels for amd64: what a packed one begins with,
// and the program that unpacks it.
var packings = []struct {
	magic   string
	program []string
}{
	{"\x28\xb5\x2f\xfd", []string{"zstd", "-dcq"}},
	{"\x02\x21\x4c\x18", []string{"lz4", "-dcq"}}, // up to 6.1
}

// unpack writes the kernel that a bzImage packs, an ELF file, to another file:
// QEMU boots that, too, and an emulated processor need not unpack it at each boot.
func unpack(ctx context.Context, bzImage, to string) error {
	b, err := os.ReadFile(bzImage)
	if err != nil {
		return err
	}
	packed, program, err := payload(b)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(packed), &said
	kernel, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("unpack the kernel: %s: %w: %s", program[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return os.WriteFile(to, kernel, 0o644)
}

// payload returns the part of a bzImage that is the packed kernel, and what
// unpacks it.
func payload(b []byte) (packed []byte, program []string, err error) {
	if len(b) < headerEnd || string(b[headerMagic:headerMagic+4]) != "HdrS" {
		return nil, nil, errors.New("the kernel is not a bzImage")
	}
	at := (uint64(b[setupSectors])+1)*sector + uint64(binary.LittleEndian.Uint32(b[payloadOffset:]))
	// Behind the packed kernel, and counted with it, is its size when unpacked.
	size := uint64(binary.LittleEndian.Uint32(b[payloadLength:]))
	if size < 4 || at+size > uint64(len(b)) {
		return nil, nil, fmt.Errorf("the kernel says that %d packed bytes begin at byte %d of it, and it has %d", size, at, len(b))
	}
	packed = b[at : at+size-4]
	for _, p := range packings {
		if bytes.HasPrefix(packed, []byte(p.magic)) {
			return packed, p.program, nil
		}
	}
	return nil, nil, fmt.Errorf("nothing is known that unpacks this kernel, which begins with % x", packed[:min(4, len(packed))])
}
