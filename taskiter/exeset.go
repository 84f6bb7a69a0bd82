// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"slices"

	"github.com/landlockd/landlockd/scan"
)

const (
	exeSets = uint32(objectLimitEXE_SETS)
	exeWays = int(objectLimitEXE_WAYS)
)

// exesOf is the set that a process is in, and what names its program there.
func (c *control) exesOf(pr *scan.Process) (set *[exeWays]uint32, tag uint32) {
	return &c.ExeKnown[uint32(pr.PID)%exeSets], exeTag(pr.Start, pr.Exec)
}

// know notes that the program need not send the path of a process's executable again. In a
// full set it takes the place of who has been in it longest, whose path comes with the next scan.
func (c *control) know(pr *scan.Process) {
	set, tag := c.exesOf(pr)
	at := slices.Index(set[:], tag)
	if at < 0 {
		at = slices.Index(set[:], 0)
	}
	if at < 0 {
		at = exeWays - 1
	}
	copy(set[1:at+1], set[:at])
	set[0] = tag
}

// forget has the path sent with the next scan.
func (c *control) forget(pr *scan.Process) {
	set, tag := c.exesOf(pr)
	if at := slices.Index(set[:], tag); at >= 0 {
		copy(set[at:], set[at+1:])
		set[exeWays-1] = 0
	}
}

// forgetAll has all paths sent with the next scan.
func (c *control) forgetAll() { clear(c.ExeKnown[:]) }

// exeTag is exe_tag() of bpf/taskiter.c. It is never 0.
func exeTag(start, exec uint64) uint32 {
	return (uint32(start) ^ uint32(start>>32) ^ uint32(exec)*0x9e3779b1) | 1
}
