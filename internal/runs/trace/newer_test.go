// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/sandbox"
)

// TestNewerKinds: of a process that ended in a domain that is of a kind nobody here knows it
// is not known what that handled. A pointer that each domain has stands for the sign of one.
func TestNewerKinds(t *testing.T) {
	for _, newer := range []bool{false, true} {
		t.Run(fmt.Sprintf("newer=%v", newer), func(t *testing.T) { endInDomain(t, newer) })
	}
}

func endInDomain(t *testing.T, newer bool) {
	r := openAt(t, func(l *taskiter.Layout) {
		if l.Domain.Details == ^uint32(0) {
			t.Skip("this kernel keeps nothing of domains that can stand for what is newer: Linux 6.15")
		}
		if newer {
			l.Domain.Signs, l.Domain.SignAt[3], l.Domain.SignBits[3] = 1<<3, l.Domain.Details, ^uint32(0)
		}
	})
	if err := r.Ask(nil, false); err != nil {
		t.Fatal(err)
	}
	sh := copyOf(t, "sh")
	var err error
	thread.Run(func() {
		if err = sandbox.Harmless(2).Enter(); err == nil {
			err = exec.Command(sh, "-c", "exit 0").Run()
		}
	})()
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Drain()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range d.Cells {
		if c.Exe != sh || c.State != scan.Sandboxed {
			continue
		}
		found++
		if c.Depth != 2 || c.Handled.Empty() != newer {
			t.Errorf("depth %d, handled %v", c.Depth, c.Handled)
		}
	}
	if found == 0 {
		t.Error("no sandboxed run was counted")
	}
}
