// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// StartUnit is what start times are rounded down to: /proc/[pid]/stat has them in
// USER_HZ, which is 100 on every architecture that Go runs on.
const StartUnit = 10 * time.Millisecond

const tick = uint64(StartUnit)

// Flags in /proc/[pid]/stat: PF_* of the kernel's linux/sched.h.
const (
	pfIOWorker   = 0x10
	pfUserWorker = 0x4000
	pfKthread    = 0x200000
)

// stat is what one read of /proc/[pid]/stat or of a thread's gives.
type stat struct {
	comm  scan.Comm
	state byte // 'R', 'S', 'D', 'T', 't', 'I'; 'Z' and 'X' have exited
	ppid  int32
	flags uint32
	// threads is the thread count of the process, with a leader that has
	// exited; 0 for a task that is just being released.
	threads int32
	// start is the time of creation in nanoseconds since boot, as this process's
	// time namespace counts, rounded down to the tick of 10 ms; of what a reader
	// returns it is as the host counts.
	start uint64
	mm    mmMarks
}

// mmMarks are addresses that every execve(2) draws anew, unless the process
// turned address space randomisation off; zero for a reader who may not trace
// the process.
type mmMarks struct{ startCode, startStack uint64 }

// dead reports whether the task runs no more code.
func (s *stat) dead() bool { return s.state == 'Z' || s.state == 'X' || s.state == 'x' }

// parseStat reads the one line of a stat file (man proc_pid_stat). The command name in
// it is whatever the task chose, with any parentheses, spaces and line feeds; only
// numbers stand behind it. It reports whether there is a number in each place that is
// used.
func parseStat(b []byte, s *stat) bool {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open || len(b) < end+4 || b[end+1] != ' ' {
		return false
	}
	*s = stat{state: b[end+2]}
	copy(s.comm[:len(s.comm)-1], b[open+1:end])
	rest := b[end+3:]
	// Fields as numbered in the manual; the state is the third.
	for field := 4; field <= 28; field++ {
		if len(rest) == 0 || rest[0] != ' ' {
			return false
		}
		rest = rest[1:]
		if field == 6 || field == 7 || field == 8 || field == 18 || field == 19 {
			// These may be negative, and are not used.
			for len(rest) > 0 && rest[0] != ' ' {
				rest = rest[1:]
			}
			continue
		}
		v, n := leadingNumber(rest)
		if n == 0 {
			return false
		}
		rest = rest[n:]
		switch field {
		case 4:
			s.ppid = int32(v)
		case 9:
			s.flags = uint32(v)
		case 20:
			s.threads = int32(v)
		case 22:
			s.start = v * tick
		case 26:
			s.mm.startCode = v
		case 28:
			s.mm.startStack = v
		}
	}
	return true
}

// leadingNumber reads decimal digits and returns how many there were; 0 if
// they are no 64-bit number. A minus sign gives 0 as value.
func leadingNumber(b []byte) (v uint64, n int) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		n = 1
	}
	digits := n
	for ; n < len(b) && '0' <= b[n] && b[n] <= '9'; n++ {
		d := uint64(b[n] - '0')
		if v > (1<<64-1-d)/10 {
			return 0, 0
		}
		v = v*10 + d
	}
	if n == digits {
		return 0, 0
	}
	if negative {
		v = 0
	}
	return v, n
}
