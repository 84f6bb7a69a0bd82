// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// parse makes a denial of an event; booted is when the host was. It allocates
// nothing, and returns false for what no program sends.
func parse(b []byte, booted time.Time, e *denials.Event) bool {
	var ev objectEvent
	const textAt = int(unsafe.Offsetof(ev.Text))
	// A text ends where the event does, or before: records are padded.
	n := copy(unsafe.Slice((*byte)(unsafe.Pointer(&ev)), unsafe.Sizeof(ev)), b)
	if n < textAt {
		return false
	}
	text := ev.Text[:min(n-textAt, int(ev.Length))]
	*e = denials.Event{
		Time:   booted.Add(time.Duration(ev.Time)),
		Domain: domainid.ID(ev.Domain),
		PID:    int32(ev.Pid), TID: int32(ev.Tid),
	}
	if e.PID != 0 {
		e.Start = ev.Start
		comm, _, _ := bytes.Cut(ev.Comm[:], []byte{0})
		e.Comm.Set(comm)
	}
	e.SameExec, e.Logged = answer(ev.SameExec), answer(ev.Logged)
	o := &e.Object
	switch mask := ev.Blockers; objectKind(ev.Kind) {
	case objectKindKIND_FS:
		o.Kind = denials.File
		if e.Blockers.AddMask(access.FS, mask); mask == 0 {
			e.Blockers.Add(denials.ChangeTopology)
		}
	case objectKindKIND_NET:
		o.Port = ev.Port
		if o.Port != 0 {
			o.Kind = denials.Port
		}
		e.Blockers.AddMask(access.Net, mask)
	case objectKindKIND_PTRACE:
		o.Kind, o.PID = denials.Task, int32(ev.Target)
		e.Blockers.Add(denials.Ptrace)
	case objectKindKIND_SIGNAL:
		o.Kind, o.PID = denials.Task, int32(ev.Target)
		e.Blockers.AddMask(access.Scope, unix.LANDLOCK_SCOPE_SIGNAL)
	case objectKindKIND_ABSTRACT:
		o.Kind, o.PID = denials.Socket, int32(ev.Target)
		e.Blockers.AddMask(access.Scope, unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
	default:
		return false
	}
	o.Text.Set(text)
	if o.Kind == denials.Socket && len(text) > 0 && text[0] == 0 {
		o.Text.Bytes()[0] = '@'
	}
	return true
}

// answer is what a program sends of a flag.
func answer(flag uint32) access.Answer {
	switch objectAnswer(flag) {
	case objectAnswerANSWER_NO:
		return access.No
	case objectAnswerANSWER_YES:
		return access.Yes
	default:
		return access.Unknown
	}
}
