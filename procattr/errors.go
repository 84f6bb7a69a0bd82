// SPDX-License-Identifier: Apache-2.0

package procattr

// Reason is the short stable name of what keeps this source from working.
type Reason string

const (
	// NoProcFS: there is no proc file system where it was looked for, or this
	// process is not in it.
	NoProcFS Reason = "no_procfs"
	// NoAttribute: the kernel does not show the domains of tasks in files.
	NoAttribute Reason = "no_attribute"
	// Denied: reading the attribute is refused even for this process's own threads.
	Denied Reason = "denied"
	// UnknownForm: the kernel has the file, but what is in it is not
	// understood beyond doubt.
	UnknownForm Reason = "unknown_form"
	// Helper: no helper could be made to try the attribute with.
	Helper Reason = "helper"
	// Read: a read failed in a way that shows nothing of the task.
	Read Reason = "read"
)

// Reasons returns every reason.
func Reasons() []Reason {
	return []Reason{NoProcFS, NoAttribute, Denied, UnknownForm, Helper, Read}
}

// Error says what is missing and what to do about it. It implements scan.Failure.
type Error struct {
	Reason Reason
	// Missing is what is not there or did not work.
	Missing string
	// Hint is what a person can do about it, or empty.
	Hint string
	// Err is the cause, or nil.
	Err error
}

// FailureReason returns the reason as a label value.
func (e *Error) FailureReason() string { return string(e.Reason) }

func (e *Error) Error() string {
	s := "attribute of tasks: " + e.Missing
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

func readFailed(what string, err error) *Error {
	return &Error{Reason: Read, Missing: what, Err: err}
}
