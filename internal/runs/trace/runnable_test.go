// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestNobodyRunsPrograms: the serving stage has descriptors of the programs, and not even with
// every privilege can they be run on addresses of one's choice.
func TestNobodyRunsPrograms(t *testing.T) {
	testenv.NeedRoot(t)
	source, err := taskiter.Open(taskiter.Options{SysFS: "/sys"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	state, files, err := Open(btf.NewCache(), source.Layout())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, f := range files[state.missFiles():] {
		fd, err := unix.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		program, err := ebpf.NewProgramFromFD(fd) // it owns the descriptor
		if err != nil {
			t.Fatal(err)
		}
		_, err = program.Run(&ebpf.RunOptions{Context: [3]uint64{}})
		if !errors.Is(err, unix.EFAULT) && !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s, for whoever asks: %v", program, err)
		}
		program.Close()
	}
}
