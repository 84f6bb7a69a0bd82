// SPDX-License-Identifier: Apache-2.0

package scan

// How processes that ended are counted: the words of [SourceInfo.Runs].
const (
	// RunsNone: not at all.
	RunsNone = "none"
	// RunsTracepoints: by programs at the kernel's tracepoints.
	RunsTracepoints = "tracepoints"
)
