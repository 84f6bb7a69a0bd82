// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/landlockd/landlockd/internal/enum"

// State is the sandboxing state of a task or of a process.
//
// For a process: Sandboxed, if every task is in a domain; Partial, if some are
// and some are not; Unsandboxed, if none is; Unknown, if it could not be found out.
// A task is never Partial.
type State uint8

const (
	Unknown State = iota
	Unsandboxed
	Partial
	Sandboxed
)

// States returns every state, in the order in which people read them.
func States() [4]State { return [...]State{Sandboxed, Partial, Unsandboxed, Unknown} }

var states = enum.Words[State]{"unknown", "unsandboxed", "partial", "sandboxed"}

func (s State) String() string { return states.Of(s) }

// MarshalText encodes the word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *State) UnmarshalText(b []byte) error { return states.Parse(s, b, "state") }

// Reason is why a state is Unknown.
type Reason uint8

const (
	// NoReason belongs to every state but Unknown.
	NoReason Reason = iota
	// Denied: the kernel refused the read (PTRACE_MODE_READ).
	Denied
	// Hidden: the task is there but its attribute is not shown.
	Hidden
	// Changing: the process changed during every read of it.
	Changing
	// Malformed: the kernel's answer was not understood.
	Malformed
)

// Reasons returns every reason for Unknown.
func Reasons() [4]Reason { return [...]Reason{Denied, Hidden, Changing, Malformed} }

var reasons = enum.Words[Reason]{"", "denied", "hidden", "changing", "malformed"}

func (r Reason) String() string { return reasons.Of(r) }

// MarshalText encodes the word; empty for NoReason.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (r *Reason) UnmarshalText(b []byte) error { return reasons.Parse(r, b, "reason") }
