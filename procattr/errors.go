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

// failure completes an error of this source, of which it has the reason.
func failure(e scan.Error) *scan.Error {
	e.Source, e.Kind = "attribute of tasks", kinds[e.Reason]
	return &e
}

func readFailed(what string, err error) *scan.Error {
	return failure(scan.Error{Reason: Read, Missing: what, Err: err})
}
