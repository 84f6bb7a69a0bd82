// SPDX-License-Identifier: Apache-2.0

package trace

import "github.com/landlockd/landlockd/scan"

// Reasons of the *[scan.Error] that Open returns.
const (
	// Absent: this kernel has no tracepoints of Landlock's denials, or no type
	// information.
	Absent = "no_tracepoints"
	// UnknownForm: a tracepoint's arguments are not known here.
	UnknownForm = "unknown_form"
	// Refused: the kernel refused the programs.
	Refused = "refused"
)

// failure returns an error for a reason: what is not there or was refused, and the
// cause or nil.
func failure(reason, missing string, err error) *scan.Error {
	kind := map[string]scan.Kind{
		Absent: scan.ErrAbsent, UnknownForm: scan.ErrBroken, Refused: scan.ErrDenied,
	}[reason]
	return &scan.Error{
		Kind: kind, Reason: reason, Source: "Landlock's tracepoints", Missing: missing, Err: err,
	}
}
