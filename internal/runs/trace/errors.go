// SPDX-License-Identifier: Apache-2.0

package trace

import "github.com/landlockd/landlockd/scan"

// Reasons of the *[scan.Error] that Open returns.
const (
	// Absent: this kernel has no such tracepoints, or does not describe its types.
	Absent = "no_tracepoints"
	// Refused: the kernel refused the programs.
	Refused = "refused"
)

// failure returns an error for a reason: what is not there or was refused, and the cause.
func failure(reason, missing string, err error) *scan.Error {
	kind := map[string]scan.Kind{Absent: scan.ErrAbsent, Refused: scan.ErrDenied}[reason]
	return &scan.Error{
		Kind: kind, Reason: reason, Source: "the tracepoints of processes", Missing: missing, Err: err,
	}
}
