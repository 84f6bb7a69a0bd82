// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"bytes"
	"strconv"
)

// Status is the text of a status file (man proc_pid_status): lines "NAME:\tVALUE". The
// name of the process, in the first one, is escaped by the kernel: it has no line feed.
// Its methods do not allocate.
type Status []byte

// Line returns the value of the line with a name; false if there is none, or two.
func (s Status) Line(name string) (value []byte, found bool) {
	for len(s) > 0 {
		var line []byte
		line, s, _ = bytes.Cut(s, []byte{'\n'})
		if len(line) <= len(name) || line[len(name)] != ':' || string(line[:len(name)]) != name {
			continue
		}
		if found {
			return nil, false // which of the two is true?
		}
		value, found = bytes.TrimSpace(line[len(name)+1:]), true
	}
	return value, found
}

// Number returns the i-th decimal number, counted from 0, of the line with a name;
// false if there is none.
func (s Status) Number(name string, i int) (uint32, bool) {
	value, found := s.Line(name)
	for range i {
		_, value, _ = bytes.Cut(value, []byte{'\t'})
	}
	value, _, _ = bytes.Cut(value, []byte{'\t'})
	n, err := strconv.ParseUint(string(value), 10, 32)
	return uint32(n), found && err == nil
}

// Set returns the bits of the line with a name, as of CapEff; false if there are none.
func (s Status) Set(name string) (uint64, bool) {
	value, found := s.Line(name)
	n, err := strconv.ParseUint(string(value), 16, 64)
	return n, found && err == nil
}
