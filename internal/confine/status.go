// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/internal/landlock"
)

// Mechanism is one way in which a stage is confined. Its word is a label value of
// landlockd_confined.
type Mechanism uint8

// The mechanisms, in the order of their words.
const (
	// Capabilities: none is in any set; nor in the bounding set, if that can be emptied.
	Capabilities Mechanism = iota
	// Dumpable: it is not, so that others with its user ID can neither trace it nor take
	// its descriptors, not even while it starts.
	Dumpable
	// Groups are neither root's nor those of whoever started the daemon.
	Groups
	// Inherited: no descriptor beside those that were handed on, and nothing else that
	// execve(2) hands on unasked.
	Inherited
	// Keyring of the session: it has no keys, and gets none.
	Keyring
	// Landlock keeps this process from what its domain does not allow.
	Landlock
	// NoNewPrivs is set.
	NoNewPrivs
	// Seccomp filters its system calls.
	Seccomp
	// UserID is not root's, and all four are the one that was meant.
	UserID

	numMechanisms
)

var mechanisms = enum.Words[Mechanism]{"capabilities", "dumpable", "groups", "inherited",
	"keyring", "landlock", "no_new_privs", "seccomp", "user"}

func (m Mechanism) String() string { return mechanisms.Of(m) }

// MarshalText encodes the word.
func (m Mechanism) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (m *Mechanism) UnmarshalText(b []byte) error { return mechanisms.Parse(m, b, "mechanism") }

// Reason is why a mechanism does not hold. Its word is a label value of
// landlockd_confine_failed.
type Reason uint8

const (
	// Unread: it was not read back from the kernel, or could not be.
	Unread Reason = iota
	// Holds: there is none.
	Holds
	// Kept: the source cannot do without.
	Kept
	// Refused: a system call that it takes failed.
	Refused
	// Unsupported: this kernel does not have it.
	Unsupported
	// TooManyLayers: the daemon was started in as many Landlock domains as there can be.
	TooManyLayers
	// Root is the user or the group.
	Root
	// ReadBack: no call failed, but what the kernel shows of the process is otherwise.
	ReadBack
)

var reasons = enum.Words[Reason]{"unread", "", "kept", "refused", "unsupported",
	"too_many_layers", "root", "read_back"}

func (r Reason) String() string { return reasons.Of(r) }

// MarshalText encodes the word; empty for Holds.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (r *Reason) UnmarshalText(b []byte) error { return reasons.Parse(r, b, "reason") }

// Failure is a mechanism, and why it does not hold.
type Failure struct {
	Mechanism Mechanism `json:"mechanism"`
	Reason    Reason    `json:"reason"`
}

// FailureOf returns what it means for a mechanism that a call failed.
func FailureOf(m Mechanism, err error) Failure {
	f := Failure{m, Refused}
	switch {
	case errors.Is(err, unix.E2BIG): // of landlock_restrict_self(2) alone
		f.Reason = TooManyLayers
	case errors.Is(err, landlock.ErrNotBuilt), errors.Is(err, landlock.ErrDisabled),
		errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		f.Reason = Unsupported
	}
	return f
}

// Status is how a process is confined: for each mechanism whether it holds for every
// thread, or why not. Of the zero value nothing is known.
type Status [numMechanisms]Reason

// add keeps the first reason, but one that is meant gives way.
func (s *Status) add(m Mechanism, r Reason) {
	if s[m] == Holds || s[m] == Kept {
		s[m] = r
	}
}

// And returns what holds for two processes. What the other one keeps is its to keep.
func (s Status) And(other Status) Status {
	for m, r := range other {
		if r != Holds && r != Kept {
			s.add(Mechanism(m), r)
		}
	}
	return s
}

// Mechanisms reports by which the process is confined, by word.
func (s Status) Mechanisms() map[string]bool {
	held := map[string]bool{}
	for m, r := range s {
		held[Mechanism(m).String()] = r == Holds
	}
	return held
}

// Failures returns what does not hold and was meant to, in the order of the words.
func (s Status) Failures() (failed []Failure) {
	for m, r := range s {
		f := Failure{Mechanism(m), r}
		if r != Holds && f != (Failure{Capabilities, Kept}) {
			failed = append(failed, f)
		}
	}
	return failed
}
