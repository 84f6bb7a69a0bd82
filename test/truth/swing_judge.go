// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// SwingVerdict is what [JudgeSwing] says of one scan, or the sum over many.
type SwingVerdict struct {
	// Told counts the processes of which it was stated what they restrict, Changing
	// those of which it was not because their roots were moved, and Unread those for
	// which there was no time.
	Told, Changing, Unread int
	// Steady counts those of Told whose roots were in one place during the scan.
	Steady int
	// False are the statements that were true at no instant of the scan.
	False []string
}

// Add adds another verdict to v.
func (v *SwingVerdict) Add(o SwingVerdict) {
	v.Told += o.Told
	v.Changing += o.Changing
	v.Unread += o.Unread
	v.Steady += o.Steady
	v.False = append(v.False, o.False...)
}

// JudgeSwing checks one scan of the processes of a [Swing], during which these
// moves happened or were in effect: of the rights to read and to write files
// exactly one is restricted, that which was so at some instant. Unknown states
// nothing, so it is never false, but counted; for no other reason than these two may
// it be unknown. It is a pure function.
func JudgeSwing(snap *scan.Snapshot, pids []int32, during []Move) SwingVerdict {
	var v SwingVerdict
	var readable, writable bool
	for _, m := range during {
		readable, writable = readable || m.Readable, writable || !m.Readable
	}
	for _, pid := range pids {
		p := snap.Find(pid)
		if p == nil {
			v.False = append(v.False, fmt.Sprintf("process %d is not there", pid))
			continue
		}
		sandbox, inside := snap.SandboxOf(p)
		read, write := restricts(sandbox.Restricts, "fs.read_file"), restricts(sandbox.Restricts, "fs.write_file")
		unknown := inside && read == access.Unknown && write == access.Unknown
		switch {
		case unknown && sandbox.Doubt == domainid.RootChanging:
			v.Changing++
		case unknown && sandbox.Doubt == domainid.RulesUnread:
			v.Unread++
		case inside && read == access.No && write == access.Yes && readable,
			inside && read == access.Yes && write == access.No && writable:
			v.Told++
			if readable != writable {
				v.Steady++
			}
		default:
			v.False = append(v.False, fmt.Sprintf(
				"process %d is %s, restricts reading: %s, writing: %s (in doubt: %v); it could read: %v, write: %v",
				pid, p.State, read, write, sandbox.Doubt.Words(), readable, writable))
		}
	}
	return v
}

func restricts(b access.Bounds, name string) access.Answer {
	right, found := access.Lookup(name)
	if !found {
		return access.Unknown
	}
	return b.Of(right)
}
