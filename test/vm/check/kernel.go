// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// complaints are how the kernel's log begins to report a fault of its own.
var complaints = []string{"BUG:", "WARNING:", "Oops", "UBSAN:", "KASAN:", "possible deadlock", "RCU stall", "general protection"}

// known are complaints that say nothing of Landlock, of BPF or of our patches: a
// kernel may make them without us. They are printed, and no failure.
var known = []string{
	// Two processors meet at the timer of a deadline server, which the scheduler
	// has from 6.8 on (dl_task_timer). Seen once, on stock 7.3, while many
	// processes came and went.
	" hrtimer_forward+",
}

// behind is how many lines of the log are shown behind a complaint.
const behind = 30

// Kernel is a check that looks for faults in the kernel's log, and for system calls that
// landlockd was refused. It stands last in a boot, and guards our patches: what they break
// is often not what they are for.
func Kernel(t *T) {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("%v", err)
	}
	defer f.Close()
	buf := make([]byte, 8192)
	var log faults
	for {
		// Not f.Read, which would wait for the next message.
		n, err := unix.Read(int(f.Fd()), buf)
		if err == unix.EPIPE {
			continue // messages were overwritten
		}
		if err != nil || n <= 0 {
			return
		}
		_, text, _ := strings.Cut(string(buf[:n]), ";")
		text, _, _ = strings.Cut(text, "\n") // what follows is for machines
		log.line(t, text)
	}
}

// faults looks at a kernel's log line by line.
type faults struct {
	tell int  // lines still to be shown
	told bool // they belong to a complaint that has failed the check
}

func (f *faults) line(t *T, text string) {
	if refused(text) {
		t.Errorf("landlockd was refused a system call (internal/seccomp): %s", text)
	}
	if strings.Contains(text, "cut here ]") {
		f.tell, f.told = behind, false
	}
	if f.tell > 0 {
		f.tell--
		t.Logf("%s", text)
	}
	if !containsAny(text, complaints) || f.told && f.tell > 0 {
		return
	}
	f.tell, f.told = behind, !containsAny(text, known)
	if f.told {
		t.Errorf("the kernel says: %s", text)
	} else {
		t.Fact(protocol.KnownFault, text)
	}
}

// refused reports whether a line is the record (AUDIT_SECCOMP) of a system call that a
// filter refused to landlockd, or to its copy in memory: not to the debug build that
// attacks, nor of clone3(2), behind which libraries in C call clone(2).
func refused(text string) bool {
	const inMemory = "2F6D656D66643A6C616E646C6F636B64" // /memfd:landlockd
	return strings.Contains(text, "type=1326 ") && !strings.Contains(text, " syscall=435 ") &&
		containsAny(text, []string{`/landlockd" sig=`, "exe=" + inMemory})
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
