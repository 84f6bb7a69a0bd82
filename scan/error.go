// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"errors"
	"strings"
)

// Kind is what an [Error] means to whoever gets it. It is an error itself, for
// errors.Is(err, scan.ErrDenied).
type Kind string

const (
	// ErrAbsent: this kernel or host does not have what is needed.
	ErrAbsent Kind = "absent"
	// ErrDenied: it is there, and this process may not use it.
	ErrDenied Kind = "denied"
	// ErrGone: what was to be read is no more.
	ErrGone Kind = "gone"
	// ErrBroken: it failed, or is not understood.
	ErrBroken Kind = "broken"
)

func (k Kind) Error() string { return string(k) }

// Error is why a source cannot be used, or why a scan failed. Its fields but Err make
// up its JSON, by which it passes from one process to another; see [Flatten].
type Error struct {
	// Kind is what errors.Is compares with.
	Kind Kind `json:"kind,omitempty"`
	// Reason is the short stable name of the cause, fit for a label value: lower case,
	// words joined by underscores, such as "no_btf". Each source lists its own.
	Reason string `json:"reason,omitempty"`
	// Source is what failed: "task iterator".
	Source string `json:"source,omitempty"`
	// Missing is what is not there or did not work: "missing CAP_BPF".
	Missing string `json:"missing,omitempty"`
	// Since is the kernel that brought it, "5.8"; empty if that is not the question.
	Since string `json:"since,omitempty"`
	// Hint is what a person can do about it, or empty.
	Hint string `json:"hint,omitempty"`
	// Err is the cause, or nil.
	Err error `json:"-"`
}

func (e *Error) Error() string {
	s := e.Missing
	if e.Source != "" {
		s = e.Source + ": " + s
	}
	if e.Since != "" {
		s += " (since Linux " + e.Since + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Flatten returns an error of the same kind, reason and text without a cause: nothing
// of it is lost in JSON.
func Flatten(err error) *Error {
	flat := &Error{Reason: FailureReason(err), Missing: err.Error()}
	if e := (*Error)(nil); errors.As(err, &e) {
		flat.Kind = e.Kind
	}
	return flat
}

// Reasons that FailureReason gives to errors that are no [Error].
const (
	ReasonTimeout  = "timeout"
	ReasonInternal = "internal"
)

// FailureReason returns the short stable name of the cause of a failed scan: the
// reason of the [Error] in err's chain, else "timeout" for a deadline that passed,
// else "internal". A reason that is not 1 to 40 of a-z, 0-9 and underscore is
// "internal" too, because the result is used as a label value.
func FailureReason(err error) string {
	var e *Error
	switch {
	case errors.As(err, &e):
		if isReason(e.Reason) {
			return e.Reason
		}
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	}
	return ReasonInternal
}

func isReason(s string) bool {
	others := strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyz0123456789_")
	return others == "" && s != "" && len(s) <= 40
}
