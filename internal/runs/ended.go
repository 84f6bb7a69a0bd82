// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

const (
	// MaxRecent is how many stretches that ended are remembered.
	MaxRecent = 256
	// MaxEndedRules is how many rules are remembered of each.
	MaxEndedRules = 16
)

// Ended is the last of one cell's stretches between two drains, if it ended outside of a
// sandbox or broke a rule. Its text is of others' choice and not cleaned.
type Ended struct {
	// Time is when it ended, and Count how many ended that were alike, with it.
	Time  time.Time
	Count uint64
	Kind  Kind
	PID   int32
	// Start is when the process began, in nanoseconds since boot, and Age how old it was
	// then; both are 0 if that is not known.
	Start uint64
	Age   time.Duration
	Comm  string
	// Exe, ExeCut, ExeDeleted, ExeOrigin and UID are as in Key.
	Exe                string
	ExeCut, ExeDeleted bool
	ExeOrigin          scan.Origin
	UID                uint32
	// Workload is the folded name; empty if workloads are not named.
	Workload string
	// State and Depth are as in Key.
	State scan.State
	Depth uint16
	// Rules are those that were about it, at most MaxEndedRules: those that it broke first,
	// and then in the order of the configuration.
	Rules []EndedRule

	number uint64 // which of all that were remembered, from 1
}

// EndedRule is what one rule found of it, in the words of package policy: of this landlockd,
// or of a newer one. Reason is empty unless it was violating or short.
type EndedRule struct {
	Rule, Severity, Result, Reason string
}
