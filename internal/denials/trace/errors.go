// SPDX-License-Identifier: Apache-2.0

package trace

import "fmt"

// Reason is the short stable name of what keeps the tracepoints from being used.
type Reason string

const (
	// Absent: this kernel has no tracepoints of Landlock's denials, or no type
	// information.
	Absent Reason = "no_tracepoints"
	// UnknownForm: a tracepoint's arguments are not known here.
	UnknownForm Reason = "unknown_form"
	// Refused: the kernel refused the programs.
	Refused Reason = "refused"
)

// Error is why the tracepoints cannot be used.
type Error struct {
	Reason Reason
	// What is not there, or was refused.
	What string
	Err  error
}

func (e *Error) Error() string {
	s := "Landlock's tracepoints: " + e.What
	if e.Err != nil {
		s += fmt.Sprintf(": %v", e.Err)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// FailureReason returns the reason as a label value (scan.Failure).
func (e *Error) FailureReason() string { return string(e.Reason) }
