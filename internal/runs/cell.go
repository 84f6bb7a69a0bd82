// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Kind is how a stretch of a process's life ended.
type Kind uint8

const (
	// Run: by the process's exit.
	Run Kind = iota
	// Launch: by execve(2).
	Launch
)

// Key is what stretches that are counted together have in common: all that rules see.
// Text in it is hostile.
type Key struct {
	Kind Kind
	// State is that of all threads that ended with the process, or of its threads at
	// execve(2). Depth is the depth of the shallowest: 0 unless State is Sandboxed.
	State scan.State
	Depth uint16
	// Handled are the rights that the domains of each thread that was in one handle.
	Handled access.Rights
	// CgroupID is the ID of the process's cgroup in the v2 hierarchy, and CgroupV1ID that
	// in the v1 hierarchy that names processes; 0 where there is none. The paths begin
	// with "/"; each is empty if it is not known.
	CgroupID, CgroupV1ID uint64
	Cgroup, CgroupV1     string
	// ParentCgroup is the path of the cgroup of the process's parent as CgroupID has it;
	// empty if it is not known.
	ParentCgroup string
	// Exe is the path of the executable, as [scan.Process] has it; empty if it is not
	// known. ExeCut: it is too long to be known.
	Exe                string
	ExeCut, ExeDeleted bool
	ExeOrigin          scan.Origin
	// Comm is the command name; zero unless the feed was asked for it.
	Comm scan.Comm
	// UID is the effective user ID in the initial user namespace, scan.NoUser if it is
	// not known.
	UID uint32
	// MinAge is the longest of the ages that the feed was asked for that the process had
	// reached, counted from its start; 0 for none.
	MinAge time.Duration
	// PID and Start name a process that was marked; otherwise they are 0.
	PID   int32
	Start uint64
	// Folded: there was no room for more. Of the cgroup only the unit is known, and all
	// that is behind it is unknown, but for MinAge.
	Folded bool
}

// Last is the last stretch of a cell.
type Last struct {
	PID int32
	// Start is when the process began, and End when the stretch ended, in nanoseconds
	// since boot.
	Start, End uint64
	Comm       scan.Comm
}

// Cell is how many stretches of one kind ended since cells were last drained.
type Cell struct {
	Key
	Count uint64
	Last  Last
}

// Drained is what ended since the last time.
type Drained struct {
	// Cells have each key once, in whatever order.
	Cells []Cell
	// Missed is how many beginnings and ends, at most, the programs did not see, since they
	// were loaded: of those nothing is known, and while it grows no count is exact.
	Missed uint64
}

// Process names one process.
type Process struct {
	PID   int32
	Start uint64
}

// Feed counts in the kernel. Its methods are for one caller at a time, but Filling.
type Feed interface {
	// Drain returns what ended since the last call. It takes no time that depends on how
	// many that were.
	Drain() (Drained, error)
	// Ask sets which ages are distinguished, ascending, and whether command names are. What
	// ended before is distinguished as it was asked then. More than MaxAges are an error.
	Ask(ages []time.Duration, comm bool) error
	// Mark has the ends of these processes counted in cells of their own; of all others
	// no more. At most MaxMarked are marked.
	Mark(processes []Process)
	// Filling receives when there will soon be no room for more.
	Filling() <-chan struct{}
	Close() error
}

const (
	// MaxAges is how many ages are distinguished.
	MaxAges = policy.MaxGraces
	// MaxMarked is how many processes are marked at a time.
	MaxMarked = policy.MaxViolators
)
