// SPDX-License-Identifier: Apache-2.0

// Package access names the rights that Landlock knows.
//
// A right is one bit of one of three masks: what may be done to files, to
// network ports, and to what is outside the domain (scopes). The names are
// those of the kernel's audit log. A bit that came after this table was written
// has a name too, fs.bit17: it is shown, never dropped.
//
// The table is the only place where these facts stand; docs/rights.md is
// generated from it.
package access

//go:generate go test -run ^TestPage$ -update .
