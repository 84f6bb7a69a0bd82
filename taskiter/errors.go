// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"maps"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// Reasons of the *[scan.Error] that Open and Scan return.
const (
	// NoBTF: the kernel has no information on its types (CONFIG_DEBUG_INFO_BTF).
	NoBTF = "no_btf"
	// NoCapability: the process lacks CAP_BPF or CAP_PERFMON.
	NoCapability = "no_capability"
	// Lockdown: the kernel is locked down for confidentiality, so that no BPF program
	// may read its memory.
	Lockdown = "lockdown"
	// Refused: the kernel refused bpf(2) though the capabilities are there, for
	// example in a user namespace, or by another security module.
	Refused = "refused"
	// NoIterator: the kernel has no task iterators, or lacks something that the programs need.
	NoIterator = "no_iterator"
	// UnknownLayout: Landlock's types are not laid out in any known way.
	UnknownLayout = "unknown_layout"
	// Calibration: the place of Landlock's part in the credentials could not
	// be found beyond doubt.
	Calibration = "calibration"
	// Read: reading the iterator failed, or what came back made no sense.
	Read = "read"
)

// kinds has every reason.
var kinds = map[string]scan.Kind{
	NoBTF: scan.ErrAbsent, NoIterator: scan.ErrAbsent,
	NoCapability: scan.ErrDenied, Lockdown: scan.ErrDenied, Refused: scan.ErrDenied,
	UnknownLayout: scan.ErrBroken, Calibration: scan.ErrBroken, Read: scan.ErrBroken,
}

// Reasons returns every reason, sorted.
func Reasons() []string { return slices.Sorted(maps.Keys(kinds)) }

// failure completes an error of this source, of which it has the reason.
func failure(e scan.Error) *scan.Error {
	e.Source, e.Kind = "task iterator", kinds[e.Reason]
	return &e
}
