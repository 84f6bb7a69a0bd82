// SPDX-License-Identifier: Apache-2.0

// Package cmdline reads the command lines of processes from procfs, for the rules
// that ask for them. A process chooses its own command line and may change it:
// what is read is hostile text, and no evidence.
package cmdline

import (
	"bytes"
	"time"

	"github.com/landlockd/landlockd/internal/patient"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

const (
	// maxLine is the longest command line that is read, in bytes. Of a longer
	// one nothing is returned: half of it could match what the whole does not.
	maxLine = 32 << 10
	// maxBytes and maxEntries bound what is remembered.
	maxBytes   = 8 << 20
	maxEntries = 1 << 14
	// maxAge is how long a line is remembered: a process may set another.
	maxAge = time.Minute
	// maxCalls is how many may be read at a time, of all users: each that hangs holds a thread.
	maxCalls = 64
)

// Process names a process, and the program that it executes.
type Process struct {
	PID int32
	// Start is the time of creation in nanoseconds since boot.
	Start uint64
	// Exec grows with every execve(2) of the process.
	Exec uint64
	// Account is who is to blame if it cannot be read in time.
	Account uint64
}

// accountOf returns a process's user. In a user namespace of his own a user is as many as
// he likes: all of those are one account.
func accountOf(p *scan.Process) uint64 {
	const nested = 1 << 32
	if p.UserNS != scan.InitUserNS {
		return nested
	}
	return uint64(p.UID)
}

// Reader reads and remembers command lines. It is not safe for concurrent use.
type Reader struct {
	procfs    string
	clocks    scan.ClockOffsets // of procfs
	clocksErr error             // why they are not known
	calls     *patient.Caller[Process, string]
	lines     map[Process]line
	bytes     int
	now       func() time.Time
}

type line struct {
	text string
	read time.Time
}

// New returns a Reader of the procfs that is mounted at a path.
func New(procfs string) *Reader {
	r := &Reader{procfs: procfs, calls: patient.New[Process, string](maxCalls), lines: map[Process]line{}, now: time.Now}
	r.clocks, r.clocksErr = scan.ReadClockOffsets()
	return r
}

// Of is Line of a process of a snapshot.
func (r *Reader) Of(p *scan.Process) (string, bool) {
	return r.Line(Process{PID: p.PID, Start: p.Start, Exec: p.Exec, Account: accountOf(p)})
}

// Line returns the arguments of a process, separated by spaces; false if they
// cannot be read: the process has gone, may not be looked at, has none (in the
// middle of execve(2), for example), has more than 32 KiB of them, or holds the lock of its
// memory, which reading them waits for. What it returns is at most a minute old.
func (r *Reader) Line(p Process) (string, bool) {
	now := r.now()
	if l, found := r.lines[p]; found && now.Sub(l.read) < maxAge {
		return l.text, true
	}
	text, err := r.calls.Do(p.Account, p, func() (string, error) { return r.read(p), nil })
	if err != nil || text == "" {
		return "", false
	}
	if len(r.lines) >= maxEntries || r.bytes+len(text) > maxBytes {
		clear(r.lines)
		r.bytes = 0
	}
	r.bytes += len(text) - len(r.lines[p].text)
	r.lines[p] = line{text, now}
	return text, true
}

// read returns an empty text if there is none: so it is in the middle of execve(2), and
// while a process ends.
func (r *Reader) read(p Process) string {
	if r.clocksErr != nil {
		return ""
	}
	dir, err := procdir.Open(r.procfs, p.PID, p.Start, r.clocks)
	if err != nil {
		return ""
	}
	defer dir.Close()
	text, _ := dir.Read("cmdline", maxLine)
	return join(text)
}

// join puts spaces between arguments, which NULs end.
func join(b []byte) string {
	b = bytes.TrimRight(b, "\x00")
	return string(bytes.ReplaceAll(b, []byte{0}, []byte{' '}))
}
