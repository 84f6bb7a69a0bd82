// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"maps"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// Reasons of the *[scan.Error] that Open and Scan return.
const (
	// NoProcFS: there is no proc file system where it was looked for, or this
	// process is not in it.
	NoProcFS = "no_procfs"
	// NoAttribute: the kernel does not show the domains of tasks in files.
	NoAttribute = "no_attribute"
	// Denied: reading the attribute is refused even for this process's own threads.
	Denied = "denied"
	// UnknownForm: the kernel has the file, but what is in it is not
	// understood beyond doubt.
	UnknownForm = "unknown_form"
	// Helper: no helper could be made to try the attribute with.
	Helper = "helper"
	// Read: a read failed in a way that shows nothing of the task.
	Read = "read"
)

// kinds has every reason.
var kinds = map[string]scan.Kind{
	NoProcFS: scan.ErrAbsent, NoAttribute: scan.ErrAbsent, Denied: scan.ErrDenied,
	UnknownForm: scan.ErrBroken, Helper: scan.ErrBroken, Read: scan.ErrBroken,
}

// Reasons returns every reason, sorted.
func Reasons() []string { return slices.Sorted(maps.Keys(kinds)) }

// failure returns an error for a reason: what is not there or did not work, the cause or
// nil, and what a person can do about it or nothing.
func failure(reason, missing string, err error, hint string) *scan.Error {
	return &scan.Error{
		Kind: kinds[reason], Reason: reason, Source: "attribute of tasks", Missing: missing,
		Err: err, Hint: hint,
	}
}

func readFailed(what string, err error) *scan.Error { return failure(Read, what, err, "") }
