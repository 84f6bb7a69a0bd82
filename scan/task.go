// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
)

// Task is one live thread. It is named by TID, Start and Exec together: an exec
// from another thread hands that thread the leader's TID and start time.
type Task struct {
	TID int32
	// Domain is the index in Snapshot.Domains of the task's innermost
	// domain; domainid.Outermost (-1) unless State is Sandboxed and the
	// domain is known.
	Domain int32
	// View is the index in Snapshot.Views of what its domain's rules grant to it,
	// or domainid.NoView (-1).
	View int32
	// Scene is the index in Snapshot.Scenes of what its domain denies on Objects, counted
	// from 1; 0 (domainid.NoScene) if that is not known.
	Scene int32
	// UID is the effective user ID in the initial user namespace.
	UID uint32
	// Start is the time of creation in nanoseconds since boot.
	Start uint64
	// Depth is that of its domain, of a Sandboxed task: at least 1, and a lower
	// bound unless DepthExact.
	Depth      uint16
	DepthExact bool
	State      State
	Reason     Reason
	Hardening  Hardening
}

// Hardening is a set of what keeps a task from things beside Landlock.
type Hardening uint8

const (
	// NoNewPrivs: execve(2) gives it no privilege.
	NoNewPrivs Hardening = 1 << iota
	// SeccompStrict and SeccompFilter are the modes of seccomp(2).
	SeccompStrict
	SeccompFilter
)

// SeccompMode returns the hardening that a mode stands for, as
// /proc/[pid]/status has it: 0 none, 1 strict, 2 filter.
func SeccompMode(mode uint32) Hardening {
	switch mode {
	case 0:
		return 0
	case 1:
		return SeccompStrict
	default:
		return SeccompFilter
	}
}

// Extent says of how many of a process's tasks something is true.
type Extent uint8

const (
	OfNone Extent = iota
	OfSome
	OfAll
)

var extents = enum.Words[Extent]{"none", "some", "all"}

func (x Extent) String() string { return extents.Of(x) }

// MarshalText encodes the word.
func (x Extent) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (x *Extent) UnmarshalText(b []byte) error { return extents.Parse(x, b, "extent") }

// ExtentOf returns the extent of any of some hardenings over the live tasks of a
// process.
func ExtentOf(tasks []Task, any Hardening) Extent {
	n := 0
	for i := range tasks {
		if tasks[i].Hardening&any != 0 {
			n++
		}
	}
	switch n {
	case 0:
		return OfNone
	case len(tasks):
		return OfAll
	default:
		return OfSome
	}
}

// Worker is a thread that the kernel made for a process (io_uring, vhost). It acts
// with the credentials of whoever had it made, and for moments with others: it
// may be freer than every task of its process.
type Worker struct {
	TID int32
	// Start is the time of creation in nanoseconds since boot.
	Start uint64
	// Real and Acting are the domains of its two sets of credentials, real_cred
	// and cred, as they were seen.
	Real, Acting Place

	// outside is set by Conclude.
	outside access.Answer
}

// Place is where credentials are: in a domain, or in none.
type Place struct {
	// State is Sandboxed, Unsandboxed or Unknown.
	State State
	// Domain is the index in Snapshot.Domains, or domainid.Outermost (-1) for none
	// or one that is not known.
	Domain int32
}
