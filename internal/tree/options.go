// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strings"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Options set how text is written.
type Options struct {
	// All shows every process. Without it, Tree shows those that Keep
	// keeps and their ancestors.
	All bool
	// Keep reports which processes matter; nil keeps those that are in any
	// state but Unsandboxed. Domains does not use it.
	Keep func(*scan.Process) bool
	// ASCII is for terminals without UTF-8: branches are drawn in ASCII, and
	// every other character of a name is escaped.
	ASCII bool
	// Width is the width of the terminal in columns, 0 if the output is not
	// a terminal. Names are cut to fit; where branches leave too little
	// room, lines get longer than that.
	Width int
}

const (
	// defaultWidth holds where the output is no terminal: a path of 4096
	// bytes helps nobody there either, and JSON has all of it.
	defaultWidth = 160
	// minName is the room that a name always has.
	minName = 24
)

func (o Options) keep(p *scan.Process) bool {
	if !o.All && o.Keep != nil {
		return o.Keep(p)
	}
	return o.All || p.State != scan.Unsandboxed
}

// room returns the columns for names behind used ones.
func (o Options) room(used int) int {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	return max(o.Width-used, minName)
}

// command returns a process's name: its comm and, if that does not follow from
// the comm, its executable, in at most room columns.
func (o Options) command(p *scan.Process, room int) string {
	comm := p.Comm.String()
	name := untrusted.Escape(comm, room, o.ASCII)
	if p.Exe == "" || namedAfter(comm, p.Exe) {
		return name
	}
	const around = len(" [exe ]")
	room = max(room-untrusted.Columns(name)-around, minName)
	return name + " [exe " + untrusted.Escape(p.Exe, room, o.ASCII) + "]"
}

// namedAfter reports whether execve(2) would call a program of this path by
// this comm: it takes 15 bytes of the last part.
func namedAfter(comm, exe string) bool {
	const longest = len(scan.Comm{}) - 1
	base := exe[strings.LastIndexByte(exe, '/')+1:]
	return comm != "" && comm == base[:min(len(base), longest)]
}
