// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// initTimeNS is the inode number of the initial time namespace (PROC_TIME_INIT_INO
// of the kernel's linux/proc_ns.h).
const initTimeNS = 0xEFFFFFFA

// StatTick is the unit of times in /proc/[pid]/stat, USER_HZ, which is 100 on every
// architecture that Go runs on: the coarsest resolution that a source has start times in.
const StatTick = 10 * time.Millisecond

// ClockOffsets are what this process's time namespace adds to the host's clocks
// (time_namespaces(7)): to what clock_gettime(2) answers, and to times since boot in
// procfs. In the initial one they are 0.
type ClockOffsets struct{ Monotonic, Boottime time.Duration }

// StatTicks returns how /proc/[pid]/stat shows a start time, in nanoseconds since the
// host's boot, to this process: in ticks of [StatTick].
func (o ClockOffsets) StatTicks(start uint64) uint64 {
	return (start + uint64(o.Boottime)) / uint64(StatTick)
}

// ReadClockOffsets reads them from the caller's own entry in /proc; a kernel without
// time namespaces has none. Where they cannot be found out, it is an error: times would
// be of another clock than the host's.
func ReadClockOffsets() (ClockOffsets, error) {
	own, err := timeNS("time")
	if errors.Is(err, os.ErrNotExist) {
		// There is procfs, and it has this process: there are no time namespaces.
		_, err = os.Stat("/proc/self/ns")
		return ClockOffsets{}, err
	}
	if err != nil || own == initTimeNS {
		return ClockOffsets{}, err
	}
	// The file is about the namespace of children.
	children, err := timeNS("time_for_children")
	if err != nil {
		return ClockOffsets{}, err
	}
	if own != children {
		return ClockOffsets{}, errors.New(
			"the time namespace is not that of children: its clocks are not known")
	}
	b, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return ClockOffsets{}, err
	}
	return parseClockOffsets(b)
}

func timeNS(name string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/"+name, &st); err != nil {
		return 0, fmt.Errorf("stat(2) of /proc/self/ns/%s: %w", name, err)
	}
	return st.Ino, nil
}

// parseClockOffsets reads lines "CLOCK SECONDS NANOSECONDS" (man
// proc_pid_timens_offsets); the first Linux with them wrote the clock's number.
func parseClockOffsets(b []byte) (o ClockOffsets, err error) {
	found := 0
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) != 3 {
			return o, fmt.Errorf("/proc/self/timens_offsets: %.64q is not understood", line)
		}
		s, err := strconv.ParseInt(string(f[1]), 10, 64)
		ns, err2 := strconv.ParseInt(string(f[2]), 10, 64)
		const most = 1 << 33 // seconds, as many as a time.Duration has
		if err = errors.Join(err, err2); err != nil || s < -most || s > most || ns < 0 || ns >= 1e9 {
			return o, fmt.Errorf("/proc/self/timens_offsets: %.64q is not understood", line)
		}
		d := time.Duration(s)*time.Second + time.Duration(ns)
		switch string(f[0]) {
		case "monotonic", "1":
			o.Monotonic = d
			found |= 1
		case "boottime", "7":
			o.Boottime = d
			found |= 2
		}
	}
	if found != 3 {
		return o, errors.New("/proc/self/timens_offsets has not both clocks")
	}
	return o, nil
}
