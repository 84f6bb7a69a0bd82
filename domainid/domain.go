// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
)

// Outermost is the Parent of a domain that is nested in no other, and the
// index that stands for "no domain".
const Outermost int32 = -1

// RulesUncounted is the number of rules where it is not known.
const RulesUncounted = ^uint32(0)

// Lineage is how it is known which domain is nested in which.
type Lineage uint8

const (
	// LineageUnknown: nothing is known of the domain's parents.
	LineageUnknown Lineage = iota
	// LineageInferred: concluded by landlockd; Depth is a lower bound.
	LineageInferred
	// LineageKnown: reported by the kernel; Depth is exact.
	LineageKnown
)

var lineages = enum.Words[Lineage]{"unknown", "inferred", "known"}

func (l Lineage) String() string { return lineages.Of(l) }

// MarshalText encodes the word.
func (l Lineage) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (l *Lineage) UnmarshalText(b []byte) error { return lineages.Parse(l, b, "lineage") }

// Creator is the task that created a domain, as it was at that time: usually a
// launcher, not the program that runs in the domain now.
type Creator struct {
	// PID is the creator's process, 0 if it is gone or outside the reader's PID namespace.
	PID int32
	// UID is the creator's user in the initial user namespace.
	UID uint32
	// Comm is its command name then; hostile text, not cleaned. Empty where the kernel
	// does not keep it.
	Comm string
	// Exe is the path of its executable then, at most 255 bytes of it; hostile
	// text. Empty where the kernel does not keep it or it was not read.
	Exe string
}

// LogStatus is whether the kernel logs to audit what a domain denies.
type LogStatus uint8

const (
	// LogUnknown: the kernel does not report it.
	LogUnknown LogStatus = iota
	// LogPending: it does, but has not had to yet.
	LogPending
	// LogRecorded: it has.
	LogRecorded
	// LogDisabled: it does not, because the domain was made so, or because what
	// made it has executed another program since.
	LogDisabled
)

var logStatuses = enum.Words[LogStatus]{"unknown", "pending", "recorded", "disabled"}

func (l LogStatus) String() string { return logStatuses.Of(l) }

// MarshalText encodes the word.
func (l LogStatus) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (l *LogStatus) UnmarshalText(b []byte) error { return logStatuses.Parse(l, b, "log status") }

// Domain is one Landlock domain. Its identity and what it handles never change.
type Domain struct {
	ID ID
	// Parent is the index, in the slice that holds this domain, of the one
	// it is nested in; Outermost if there is none or it is not known.
	Parent int32
	// Depth is the number of domains from the outermost to this one, at
	// least 1; a lower bound unless Lineage is LineageKnown.
	Depth   uint16
	Lineage Lineage
	// Handled are the rights that this domain's own layer handles, without
	// its parents'.
	Handled access.Rights
	// HandlesOther: it also handles rights of a class that this program does not
	// know, and so cannot name.
	HandlesOther bool
	// Rules is the number of rules of the domain and all its parents
	// together, as the kernel stores them; RulesUncounted if it was not read.
	Rules uint32
	// Ruleset is what the rules of this domain's own layer grant, nil if they
	// were not read.
	Ruleset *Ruleset
	// Denials is the kernel's count of accesses that this domain denied.
	Denials uint64
	// Log is whether denials are logged to audit, where audit runs.
	Log LogStatus
	// Creator is the zero value where the kernel does not keep it.
	Creator Creator
}
