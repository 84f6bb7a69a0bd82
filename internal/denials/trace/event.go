// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// The kinds of events, and where the members of struct event are (bpf/event.h).
const (
	kindFS = iota
	kindNet
	kindPtrace
	kindAbstract
	kindSignal
)

const (
	domainAt   = 0
	timeAt     = 8
	startAt    = 16
	pidAt      = 24
	tidAt      = 28
	kindAt     = 32
	blockersAt = 36
	targetAt   = 40
	portAt     = 44
	lengthAt   = 46
	commAt     = 48
	textAt     = 64
)

// Bits of the scopes (include/uapi/linux/landlock.h).
const (
	scopeAbstractUnixSocket = 0
	scopeSignal             = 1
)

// parse makes a denial of an event; booted is when the host was. It allocates
// nothing, and returns false for what no program sends.
func parse(b []byte, booted time.Time, e *denials.Event) bool {
	if len(b) < textAt {
		return false
	}
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	u64 := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	*e = denials.Event{
		Time:   booted.Add(time.Duration(u64(timeAt))),
		Domain: domainid.ID(u64(domainAt)),
		PID:    int32(u32(pidAt)), TID: int32(u32(tidAt)),
	}
	if e.PID != 0 {
		e.Start = u64(startAt)
		comm, _, _ := bytes.Cut(b[commAt:textAt], []byte{0})
		e.Comm.Set(comm)
	}
	text := b[textAt:]
	// More may follow than was meant: records are padded.
	text = text[:min(len(text), int(binary.NativeEndian.Uint16(b[lengthAt:])))]
	o := &e.Object
	switch mask := u32(blockersAt); u32(kindAt) {
	case kindFS:
		o.Kind = denials.File
		if e.Blockers.AddMask(access.FS, mask); mask == 0 {
			e.Blockers.Add(denials.ChangeTopology)
		}
	case kindNet:
		o.Port = binary.NativeEndian.Uint16(b[portAt:])
		if o.Port != 0 {
			o.Kind = denials.Port
		}
		e.Blockers.AddMask(access.Net, mask)
	case kindPtrace:
		o.Kind, o.PID = denials.Task, int32(u32(targetAt))
		e.Blockers.Add(denials.Ptrace)
	case kindSignal:
		o.Kind, o.PID = denials.Task, int32(u32(targetAt))
		e.Blockers.Add(denials.RightBlocker(access.Scope, scopeSignal))
	case kindAbstract:
		o.Kind = denials.Socket
		e.Blockers.Add(denials.RightBlocker(access.Scope, scopeAbstractUnixSocket))
	default:
		return false
	}
	o.Text.Set(text)
	if o.Kind == denials.Socket && len(text) > 0 && text[0] == 0 {
		o.Text.Bytes()[0] = '@'
	}
	return true
}
