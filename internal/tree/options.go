// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Options set how text is written.
type Options struct {
	// All shows every process. Without it, Tree shows those that Keep
	// keeps and their ancestors.
	All bool
	// Keep reports which processes matter; nil keeps those that are in any
	// state but Unsandboxed, and those that are outside of their parent's domain.
	// Domains does not use it. Descendants: all below them matter, too.
	Keep        func(*scan.Process) bool
	Descendants bool
	// Fold: equal siblings become one line of Tree.
	Fold bool
	// Wide: Tree has more columns.
	Wide bool
	// Style is how text is written. Names are cut to fit; where branches leave too little
	// room, lines of Domains get longer than that.
	table.Style
}

func (o Options) keep(p *scan.Process) bool {
	if !o.All && o.Keep != nil {
		return o.Keep(p)
	}
	return o.All || p.State != scan.Unsandboxed
}

// usual reports whether nothing is said of which processes to show.
func (o Options) usual() bool { return !o.All && o.Keep == nil }

// minExe is the room for a path without which only a mark shows that there is one.
const minExe = 16

// command returns a process's name: its comm and, if that does not follow from
// the comm, its executable, in at most room columns (but minExe at least); all of it for 0.
func (o Options) command(p *scan.Process, room int) string {
	comm := p.Comm.String()
	if p.Exe == "" || namedAfter(comm, p.Exe) {
		return untrusted.Escape(comm, room, o.ASCII)
	}
	const mark, around = " [exe]", len(" [exe ]")
	if room == 0 {
		return untrusted.Escape(comm, 0, o.ASCII) + " [exe " + untrusted.Escape(p.Exe, 0, o.ASCII) + "]"
	}
	name := untrusted.Escape(comm, max(room-len(mark), minExe-len(mark)), o.ASCII)
	left := room - untrusted.Columns(name) - around
	if left < min(minExe, untrusted.Columns(untrusted.Escape(p.Exe, 0, o.ASCII))) {
		return name + mark
	}
	return name + " [exe " + untrusted.Escape(p.Exe, left, o.ASCII) + "]"
}

// uidText is the effective user of a process.
func uidText(p *scan.Process) string {
	switch {
	case p.UIDsDiffer:
		return "mixed"
	case p.UID == scan.NoUser:
		return "?"
	default:
		return fmt.Sprint(p.UID)
	}
}

// namedAfter reports whether execve(2) would call a program of this path by
// this comm: it takes 15 bytes of the last part.
func namedAfter(comm, exe string) bool {
	const longest = len(scan.Comm{}) - 1
	base := exe[strings.LastIndexByte(exe, '/')+1:]
	return comm != "" && comm == base[:min(len(base), longest)]
}
