// SPDX-License-Identifier: Apache-2.0

package access

import "slices"

// Erratum is a fault of Landlock that was mended in a way that programs can ask for.
type Erratum struct {
	// Number is the kernel's.
	Number int
	// ABI is the version of the Landlock interface that brought the fault: kernels
	// with an older one do not have it, and cannot have the fix.
	ABI int
	// Text names the fault, "signals between threads of a process".
	Text string
	// Without is the sentence on what a kernel without the fix does.
	Without string
}

// Errata returns the errata that are known, by number.
func Errata() []Erratum { return slices.Clone(errata[:]) }

// errata is never written. Source: security/landlock/errata in the kernel.
var errata = [...]Erratum{
	{1, 4, "what a TCP socket is", "Rights to TCP also restrict MPTCP, SMC and SCTP sockets."},
	{
		2, 6, "signals between threads of a process",
		"scope.signal also stops a thread from signalling a thread of its own process that is " +
			"in another domain.",
	},
	{
		3, 1, "directories that were moved out of a bind mount",
		"Below such a directory a file can be renamed or linked to where more is allowed, " +
			"past fs.refer.",
	},
	{4, 1, "whiteouts of OverlayFS", "Making a whiteout needs fs.make_char and not fs.make_reg."},
}
