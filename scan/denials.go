// SPDX-License-Identifier: Apache-2.0

package scan

// Where denials are counted: the words of [SourceInfo.Denials], the best last.
const (
	// DenialsNone: nowhere.
	DenialsNone = "none"
	// DenialsCounters: by the kernel, for each domain.
	DenialsCounters = "counters"
	// DenialsAudit: by the audit records, too.
	DenialsAudit = "audit"
	// DenialsTracepoints: by the kernel's tracepoints, too.
	DenialsTracepoints = "tracepoints"
)
