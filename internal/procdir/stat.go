// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"bytes"

	"github.com/landlockd/landlockd/scan"
)

// Stat is what one read of /proc/[pid]/stat or of a thread's gives.
type Stat struct {
	Comm  scan.Comm
	State byte // 'R', 'S', 'D', 'T', 't', 'I'; 'Z' and 'X' have exited
	PPID  int32
	Flags uint32 // PF_* of the kernel's linux/sched.h
	// Threads is the thread count of the process, with a leader that has
	// exited; 0 for a task that is just being released.
	Threads int32
	// Start is the time of creation in nanoseconds since boot, as this process's
	// time namespace counts, rounded down to scan.StatTick.
	Start uint64
	MM    MMMarks
}

// MMMarks are addresses that every execve(2) draws anew, unless the process
// turned address space randomisation off; zero for a reader who may not trace
// the process.
type MMMarks struct{ StartCode, StartStack uint64 }

// Dead reports whether the task runs no more code.
func (s *Stat) Dead() bool { return s.State == 'Z' || s.State == 'X' || s.State == 'x' }

// ParseStat reads the one line of a stat file (man proc_pid_stat). The command name in
// it is whatever the task chose, with any parentheses, spaces and line feeds; only
// numbers stand behind it. It reports whether there is a number in each place that is
// used. It does not allocate.
func ParseStat(b []byte, s *Stat) bool {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open || len(b) < end+4 || b[end+1] != ' ' {
		return false
	}
	*s = Stat{State: b[end+2]}
	copy(s.Comm[:len(s.Comm)-1], b[open+1:end])
	rest := b[end+3:]
	// Fields as numbered in the manual; the state is the third.
	for field := 4; field <= 28; field++ {
		if len(rest) == 0 || rest[0] != ' ' {
			return false
		}
		rest = rest[1:]
		v, n := LeadingNumber(rest)
		switch field {
		case 4:
			s.PPID = int32(v)
		case 9:
			s.Flags = uint32(v)
		case 20:
			s.Threads = int32(v)
		case 22:
			s.Start = v * uint64(scan.StatTick)
		case 26:
			s.MM.StartCode = v
		case 28:
			s.MM.StartStack = v
		default:
			n = bytes.IndexByte(rest, ' ')
		}
		if n <= 0 {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// LeadingNumber reads decimal digits and returns how many there were; 0 if
// they are no 64-bit number.
func LeadingNumber(b []byte) (v uint64, n int) {
	for ; n < len(b) && '0' <= b[n] && b[n] <= '9'; n++ {
		d := uint64(b[n] - '0')
		if v > (1<<64-1-d)/10 {
			return 0, 0
		}
		v = v*10 + d
	}
	return v, n
}
