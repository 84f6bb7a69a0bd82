// SPDX-License-Identifier: Apache-2.0

package seccomp

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where struct seccomp_data has what filters look at.
const (
	offsetNumber    = 0
	offsetArch      = 4
	offsetArguments = 16 // of 64 bits each, in the machine's order
)

// program returns the filter that allows calls and refuses all others.
func program(allowed Calls) ([]bpf.RawInstruction, error) {
	refuse := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	kill := bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS}
	p := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		kill,
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: foreign, SkipTrue: 1},
		kill,
		// Its flags are in memory, where a filter cannot look: libraries then call clone(2).
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE3, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
	}
	for _, c := range allowed {
		row := conditions(c.when)
		p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: c.number, SkipTrue: uint8(len(row))})
		p = append(p, row...)
	}
	return bpf.Assemble(append(p, refuse))
}

// conditions returns what allows a call if all conditions hold, and otherwise ends with
// the number of the call loaded, for the rows that follow.
func conditions(when []condition) []bpf.Instruction {
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	if len(when) == 0 {
		return []bpf.Instruction{allow}
	}
	var row []bpf.Instruction
	for _, c := range when {
		for _, shift := range []uint{0, 32} {
			mask, value := uint32(c.mask>>shift), uint32(c.value>>shift)
			if mask == 0 {
				continue
			}
			row = append(row,
				bpf.LoadAbsolute{Off: half(c.argument, shift), Size: 4},
				bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value})
		}
	}
	row = append(row, allow)
	for i, instruction := range row {
		if jump, ok := instruction.(bpf.JumpIf); ok {
			jump.SkipTrue = uint8(len(row) - i - 1) // behind allow
			row[i] = jump
		}
	}
	return append(row, bpf.LoadAbsolute{Off: offsetNumber, Size: 4})
}

// half returns where the 32 bits of an argument are that begin at bit 0 or 32.
func half(argument int, shift uint) uint32 {
	return offsetArguments + 8*uint32(argument) + (lowHalf ^ uint32(shift/8))
}

// Install restricts every thread of this process, and those that they make, for ever to
// some calls. no_new_privs must be set.
func Install(allowed Calls) error {
	p, err := program(allowed)
	if err != nil {
		return fmt.Errorf("seccomp: assemble the filter: %w", err)
	}
	filters := make([]unix.SockFilter, len(p))
	for i, r := range p {
		filters[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	// What is refused is in the audit log, or in the kernel's.
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_LOG
	thread, _, errno := unix.Syscall(
		unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filters)
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp(2): %w", errno)
	case thread != 0:
		return fmt.Errorf("seccomp(2): thread %d has filters of its own, and was left out", thread)
	}
	return nil
}
