// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// Machine is what one boot of a guest needs. Its processor is emulated (TCG): /dev/kvm may
// be missing, or be of a kind that does not run a stock kernel, and emulation
// is fast enough.
type Machine struct {
	// Arch is "amd64", "arm64" or "s390x".
	Arch string
	// Kernel and Initrd are paths; Initrd may be empty.
	Kernel, Initrd string
	// Disk is the path of a raw image, which becomes /dev/nvme0n1; or empty. What
	// the guest writes to it is forgotten.
	Disk string
	// CommandLine is added to what every guest has.
	CommandLine string
	// timeout bounds the whole run.
	timeout time.Duration
}

// outcome is what a guest said.
type outcome struct {
	lines []protocol.Line
	// console is all that came over the serial line.
	console []byte
	// done: the guest said everything it wanted to say.
	done bool
	took time.Duration
	// lost is the console of a first try in which the kernel never came to /init.
	lost []byte
}

// program returns the emulator for an architecture.
func program(arch string) string {
	switch arch {
	case "arm64":
		return "qemu-system-aarch64"
	case "s390x":
		return "qemu-system-s390x"
	}
	return "qemu-system-x86_64"
}

func (m Machine) arguments() []string {
	args := []string{"-M", "q35", "-cpu", "max,la57=off"}
	// The kernel's test of its timer fails on a host that is busy enough.
	platform := "console=ttyS0 no_timer_check"
	switch m.Arch {
	case "s390x":
		args = []string{"-M", "s390-ccw-virtio", "-cpu", "max"}
		platform = "console=ttysclp0"
	case "arm64":
		// Pointer authentication as the architecture defines it is slow to emulate.
		args = []string{"-M", "virt", "-cpu", "max,pauth-impdef=on"}
		platform = "console=ttyAMA0"
	}
	cmdline := platform + " panic=-1 oops=panic quiet " + m.CommandLine
	// The buffer of translated code is large enough for a system with services:
	// what does not fit is translated again and again.
	args = append(args, "-accel", "tcg,tb-size=512", "-m", "1024", "-smp", "2",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", m.Kernel, "-append", strings.TrimSpace(cmdline))
	if m.Initrd != "" {
		args = append(args, "-initrd", m.Initrd)
	}
	if m.Disk != "" {
		args = append(args, "-drive", "if=none,format=raw,snapshot=on,id=disk,file="+strings.ReplaceAll(m.Disk, ",", ",,"),
			"-device", "nvme,serial=disk,drive=disk")
	}
	return args
}

// errOff: a guest ended early.
var errOff = errors.New("the guest went off before it had said everything")

// run boots the guest and waits for its end. The error says why there is no
// complete report; what was said until then is in the outcome.
//
// A guest that went off before /init said a word is booted once more: with several
// processors the emulator at times shows one of them code that another has half
// rewritten (int3 in a kernel that patches its jump labels). What is tested begins
// with /init.
func (m Machine) run(ctx context.Context) (outcome, error) {
	o, err := m.once(ctx)
	if errors.Is(err, errOff) && len(o.lines) == 0 {
		lost := o.console
		o, err = m.once(ctx)
		o.lost = lost
	}
	return o, err
}

func (m Machine) once(ctx context.Context) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	began := time.Now()
	cmd := exec.CommandContext(ctx, program(m.Arch), m.arguments()...)
	var console, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &complaints
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	o := read(console.Bytes())
	o.took = time.Since(began)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return o, fmt.Errorf("not finished after %s", m.timeout)
	case ctx.Err() != nil:
		return o, ctx.Err()
	case err != nil:
		return o, fmt.Errorf("%s: %w: %s", program(m.Arch), err, bytes.TrimSpace(complaints.Bytes()))
	case !o.done:
		return o, errOff
	}
	return o, nil
}

// read parses what came over the console.
func read(console []byte) outcome {
	o := outcome{console: console}
	lines := bufio.NewScanner(bytes.NewReader(console))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if l, ok := protocol.Parse(lines.Text()); ok {
			o.lines = append(o.lines, l)
			o.done = o.done || l.Kind == protocol.Done
		}
	}
	return o
}
