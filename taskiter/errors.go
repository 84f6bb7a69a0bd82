// SPDX-License-Identifier: Apache-2.0

package taskiter

import "fmt"

// Reason is the short stable name of what keeps this source from working.
type Reason string

const (
	// NoBTF: the kernel has no information on its types (CONFIG_DEBUG_INFO_BTF).
	NoBTF Reason = "no_btf"
	// NoCapability: the process lacks CAP_BPF or CAP_PERFMON.
	NoCapability Reason = "no_capability"
	// Lockdown: the kernel is locked down for confidentiality, so that no BPF program
	// may read its memory.
	Lockdown Reason = "lockdown"
	// Refused: the kernel refused bpf(2) though the capabilities are there, for
	// example in a user namespace, or by another security module.
	Refused Reason = "refused"
	// NoIterator: the kernel has no task iterators, or lacks something that the programs need.
	NoIterator Reason = "no_iterator"
	// UnknownLayout: Landlock's types are not laid out in any known way.
	UnknownLayout Reason = "unknown_layout"
	// Calibration: the place of Landlock's part in the credentials could not
	// be found beyond doubt.
	Calibration Reason = "calibration"
	// Read: reading the iterator failed, or what came back made no sense.
	Read Reason = "read"
)

// Error says what is missing, from which kernel on it is there, and what to do.
type Error struct {
	Reason Reason
	// Missing is what is not there: "CAP_BPF", "type information (BTF)".
	Missing string
	// Since is the kernel that brought it, "5.8"; empty if that is not the question.
	Since string
	// Hint is what a person can do about it, or empty.
	Hint string
	// Err is the cause, or nil.
	Err error
}

// FailureReason returns the reason as a label value (scan.Failure).
func (e *Error) FailureReason() string { return string(e.Reason) }

func (e *Error) Error() string {
	s := "task iterator: " + e.Missing
	if e.Since != "" {
		s += fmt.Sprintf(" (since Linux %s)", e.Since)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }
