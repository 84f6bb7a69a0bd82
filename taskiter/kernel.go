// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Layout is where the running kernel keeps the domains of tasks, and in which form: what
// other BPF programs need that read tasks by bpf/layout.h. It can be stored as text.
type Layout struct {
	// Domain is the value of the programs' variable "layout".
	Domain layout
	// Format is for Rights.
	Format maskFormat
}

// Layout returns what was found out about the running kernel.
func (s *Source) Layout() Layout { return Layout{s.state.Layout, s.state.Format} }

// Rights decodes the rights that layers handle, as the kernel stores them.
func (l Layout) Rights(mask uint32) access.Rights { return l.Format.decode(mask) }

// ExeOrigin decodes enum exe_bits of bpf/record.h: whose word an executable's path is, and
// whether the file has lost its name. It is the system's if the kernel itself opened the
// file, for a task of the initial user namespace, in a mount namespace that this one owns.
func ExeOrigin(bits uint32) (origin scan.Origin, deleted bool) {
	const system = exeExecuted | exeInitUser | exeInitMount
	deleted = bits&exeUnlinked != 0
	switch {
	case bits&system != system:
		return scan.OfUser, deleted
	case bits&exeHostTree != 0:
		return scan.OfHost, deleted
	default:
		return scan.OfImage, deleted
	}
}
