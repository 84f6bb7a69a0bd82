// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// complaints are how the kernel's log begins to tell of a fault of its own.
var complaints = []string{"BUG:", "WARNING:", "Oops", "UBSAN:", "KASAN:", "possible deadlock", "RCU stall", "general protection"}

// behind is how many lines of the log are shown behind a complaint.
const behind = 30

func complains(text string) bool {
	for _, c := range complaints {
		if strings.Contains(text, c) {
			return true
		}
	}
	return false
}

// Kernel is a check that looks for faults in the kernel's log. It stands last in a boot,
// and guards our patches: what they break is often not what they are for.
func Kernel(t *T) {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("%v", err)
	}
	defer f.Close()
	buf := make([]byte, 8192)
	tell := 0     // lines still to be shown
	told := false // they belong to a complaint that was told
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
		if strings.Contains(text, "cut here ]") {
			tell, told = behind, false
		}
		if tell > 0 {
			tell--
			t.Logf("%s", text)
		}
		if !complains(text) || told && tell > 0 {
			continue
		}
		t.Errorf("the kernel says: %s", text)
		tell, told = behind, true
	}
}
