// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/enum"
)

// Event is one denial as read from the kernel. It holds no pointer into the
// reader's memory and has a fixed size: nothing is allocated for it. What is not
// known is zero.
type Event struct {
	// Time is when it happened.
	Time time.Time
	// Domain is the one that denied: the innermost that did, which may be a
	// parent of that of the process.
	Domain   domainid.ID
	Blockers Blockers
	// PID and TID are the process and the task that were denied, as the initial
	// PID namespace has them. Start is the process's time of creation in
	// nanoseconds since boot.
	PID, TID  int32
	Start     uint64
	Comm, Exe Text
	Object    Object
	// SameExec: the process runs the program that made the domain. Logged: the kernel logs
	// the denial if audit is on.
	SameExec, Logged access.Answer
}

// ObjectKind is what an access was to.
type ObjectKind uint8

const (
	// NoObject: not known.
	NoObject ObjectKind = iota
	// File is a file or directory; Text is its path, or its name alone where
	// the kernel gives no more.
	File
	// Port is a port of TCP or UDP.
	Port
	// Socket is a Unix socket; Text is its path, or @ and its abstract name.
	Socket
	// Task is another process; Text is its command name.
	Task
)

var objectKinds = enum.Words[ObjectKind]{"unknown", "file", "port", "socket", "task"}

func (k ObjectKind) String() string { return objectKinds.Of(k) }

// MarshalText encodes the word.
func (k ObjectKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *ObjectKind) UnmarshalText(b []byte) error { return objectKinds.Parse(k, b, "kind of object") }

// Object is what was accessed.
type Object struct {
	Kind ObjectKind
	// Port is the port of a Port.
	Port uint16
	// PID is the process of a Task, or the one that listens at a Socket; 0 if it is not known.
	PID  int32
	Text Text
}

// maxText is the length of the longest text that is kept of a denial.
const maxText = 255

// Text is text of somebody else's choice, cut at 255 bytes.
type Text struct {
	n     uint8
	bytes [maxText]byte
}

// Set replaces the text. What is too long loses its beginning: the end of a path
// is of more use.
func (t *Text) Set(b []byte) {
	if len(b) > maxText {
		b = b[len(b)-maxText:]
	}
	t.n = uint8(copy(t.bytes[:], b))
}

// Bytes returns the text; the result shares t's memory.
func (t *Text) Bytes() []byte { return t.bytes[:t.n] }

// String returns the text: untrusted, not escaped.
func (t *Text) String() string { return string(t.Bytes()) }
