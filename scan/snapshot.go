// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"slices"
	"sort"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/enum"
)

// Snapshot is the result of one scan. It must not be changed once a source has
// returned it.
type Snapshot struct {
	// Time is the wall-clock time at which the scan began.
	Time time.Time
	// Uptime is the time since boot at which the scan began, as Process.Start
	// counts it (CLOCK_BOOTTIME).
	Uptime time.Duration
	// Duration is how long it took.
	Duration time.Duration
	Kernel   Kernel
	Source   SourceInfo
	// Processes are the user processes, ascending by PID: without kernel
	// threads and zombies.
	Processes []Process
	// Tasks are their live threads, grouped by process in the order of
	// Processes and ascending by TID within one, without the workers that
	// the kernel makes for user processes (io_uring, vhost).
	Tasks []Task
	// Domains are all domains that a task of Tasks is in, directly or
	// because its domain is nested in them. A parent stands before its
	// children; otherwise the order means nothing.
	Domains []domainid.Domain
	// Views are the domains as the tasks of Tasks have them, by where their root
	// directories are; nil where rules are not read.
	Views []domainid.View
	// Assets are what processes should be kept from, as it was asked for: at most
	// domainid.MaxAssets.
	Assets []domainid.Asset
	// Objects are what the paths of assets were in this scan, and Scenes what domains
	// deny on them; nil where no asset has a path.
	Objects []domainid.Object
	Scenes  []domainid.Scene
	// Workers are the threads that the kernel made for Processes, grouped by
	// process in their order and ascending by TID within one.
	Workers []Worker
	// DomainsUnread is the number of domains of tasks that are not among Domains,
	// or of which not all rules were read: what budgets left out of this scan.
	DomainsUnread int
	// Workloads are those that a process of Processes is part of; see
	// [Process.Workload]. Sources leave them out: internal/workload adds them,
	// ascending by Name.
	Workloads []Workload
	// TasksRead is the number of tasks that the source returned in its first pass.
	TasksRead int
	// Passes is the number of passes over the host's tasks: more than one
	// if some processes had to be read again.
	Passes int
	// Part: it has only what somebody may see of the host. What a number says of it says
	// nothing of the host.
	Part bool

	// sandboxes are what being in domains means, each once; see Conclude.
	sandboxes []domainid.Sandbox
	concluded bool
	content   *content
	// shared: it was made by Again, and others have the same memory.
	shared bool
}

// Kernel is what is known of the running kernel.
type Kernel struct {
	// Release is uname's, for example "6.12.9-amd64".
	Release string
	// Landlock is whether the kernel can sandbox anything at all. Where it is not
	// Enabled, every process is known to be unsandboxed.
	Landlock Availability
	// ABI is Landlock's ABI version; 0 unless Landlock is Enabled.
	ABI int
	// Rights are those that this kernel can restrict, as it reports itself when it is
	// asked for each: no ABI version stands for them.
	Rights access.Bounds
	// Errata has bit n-1 set if this kernel has the fix of Landlock's erratum n;
	// ErrataKnown: it reports its fixes (Linux 6.15, and backports).
	Errata      uint32
	ErrataKnown bool
	// Ways are those past a right that were found open on this kernel; of WaysUnknown
	// it could not be found out.
	Ways, WaysUnknown access.Ways
}

// Fixed reports whether this kernel has the fix of one of Landlock's errata.
func (k Kernel) Fixed(erratum int) access.Answer {
	fixed := k.Errata>>(erratum-1)&1 != 0
	return access.Between(k.ErrataKnown && fixed, !k.ErrataKnown || fixed)
}

// NestingLimit is the number of layers that a task can have on this kernel:
// 16, before Linux 5.19 (ABI 2) 64, and 0 without Landlock.
func (k Kernel) NestingLimit() int {
	switch {
	case k.Landlock != Enabled:
		return 0
	case k.ABI < 2:
		return 64
	default:
		return 16
	}
}

// Availability is whether a kernel has Landlock.
type Availability uint8

const (
	// NotBuilt: the kernel was built without Landlock (ENOSYS).
	NotBuilt Availability = iota
	// Disabled: Landlock is built but was not enabled at boot (EOPNOTSUPP).
	Disabled
	// Enabled: processes can sandbox themselves.
	Enabled
)

var availabilities = enum.Words[Availability]{"not_built", "disabled", "enabled"}

func (a Availability) String() string { return availabilities.Of(a) }

// MarshalText encodes the word.
func (a Availability) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Availability) UnmarshalText(b []byte) error {
	return availabilities.Parse(a, b, "availability of Landlock")
}

// SourceInfo is how each kind of fact was obtained. The words are label
// values of landlockd_source_info.
type SourceInfo struct {
	// Name is the source: "taskiter", "procattr" or "both".
	Name string `json:"source"`
	// IDs is where domain IDs come from: "kernel", "derived" or "none".
	IDs string `json:"ids"`
	// Lineage is how nesting is known: "known", "inferred" or "none".
	Lineage string `json:"lineage"`
	// Rules is whether the rules of domains are read: "read", "unread" or "none".
	Rules string `json:"rules"`
	// Denials is where denials are counted: "none", "counters", and of a
	// running daemon "audit" or "tracepoints".
	Denials string `json:"denials"`
	// Runs is how processes that ended are counted: "none", and of a running daemon
	// "tracepoints".
	Runs string `json:"runs" read:"optional"`
	// PIDNS is "init" if the source sees every process of the host, and
	// "nested" if it sees only those of an inner PID namespace.
	PIDNS string `json:"pidns"`
}

// CountsDenials reports whether the denials of a snapshot's domains are known. What
// reports denials one by one does not count them for each domain, and the attribute
// does not report any.
func (i SourceInfo) CountsDenials() bool { return i.Denials != DenialsNone && i.Name != "procattr" }

// InitUserNS is the inode number of the initial user namespace:
// PROC_USER_INIT_INO of include/linux/proc_ns.h.
const InitUserNS = 0xEFFFFFFD

// NoUser is the user ID of a task of which it could not be found out.
const NoUser = ^uint32(0)

// Process is one thread group, named by PID and Start together.
//
// To add a fact: a member here; in each source the line that sets it, next to those of its
// neighbours (taskiter/build.go, from a member of the record in taskiter/bpf; and
// procattr/build.go); one member and one line each way for recorded snapshots; and a line
// where explain shows it. TestEveryFactHasItsPlaces in docs, and the round trip of recorded
// snapshots, fail by the member's name where one is forgotten. Equal fields of all tasks
// belong here, others in [Task].
type Process struct {
	PID int32
	// PPID is the parent's PID; 0 if it is outside the PID namespace.
	PPID int32
	// Start is the time of creation in nanoseconds since boot.
	Start uint64
	// Exec grows with every execve(2) of the process.
	Exec uint64
	// Comm is the command name as the process set it: hostile text.
	Comm Comm
	// CgroupID is the ID of the process's cgroup in the v2 hierarchy (the inode
	// number of its directory), and CgroupV1ID that in the v1 hierarchy that names
	// processes (internal/cgroupfs); 0 where there is none.
	CgroupID, CgroupV1ID uint64
	// Exe is the executable's path as the kernel has it, empty if it could not
	// be read: hostile text, see docs/threat-model.md.
	Exe string
	// ExeCut: the path is longer than Exe, which it begins with. One that is longer
	// than 4095 bytes the kernel does not give: then Exe is empty.
	// ExeDeleted: the file has lost its name, and Exe is the one that it had.
	ExeCut, ExeDeleted bool
	// ExeOrigin is whose word Exe is.
	ExeOrigin Origin
	// UID is the effective user ID, in the initial user namespace, of its leader,
	// or of a live task of a dead one; UIDsDiffer: other tasks have others
	// ([Snapshot.UIDs]).
	UIDsDiffer bool
	UID        uint32
	// UserNS and MountNSOwner are the inode numbers of the process's user
	// namespace and of the user namespace that owns its mount namespace.
	UserNS, MountNSOwner uint32
	// NoNewPrivs and Seccomp are how many of its tasks have no_new_privs, and are under
	// seccomp in any mode.
	NoNewPrivs, Seccomp Extent
	outside             access.Answer // of OutsideWorker; here it takes no room
	Credentials         Credentials
	State               State
	// Reason is why State is Unknown.
	Reason Reason
	// Depth is the depth of the shallowest task: 0 unless State is
	// Sandboxed. MaxDepth is that of the deepest.
	Depth, MaxDepth uint16
	// Workload is the index in Snapshot.Workloads, or NoWorkload. It has no
	// meaning if that is empty.
	Workload int32
	// FirstTask and NumTasks are which of Snapshot.Tasks are the process's, and
	// FirstWorker and NumWorkers which of Snapshot.Workers.
	FirstTask, NumTasks     int32
	FirstWorker, NumWorkers int32

	// sandbox is the place in Snapshot.sandboxes.
	sandbox int32
}

// TasksOf returns the tasks of a process of this snapshot. The result shares
// the snapshot's memory.
func (s *Snapshot) TasksOf(p *Process) []Task {
	return s.Tasks[p.FirstTask : p.FirstTask+p.NumTasks]
}

// WorkersOf returns the workers of a process of this snapshot. The result shares
// the snapshot's memory.
func (s *Snapshot) WorkersOf(p *Process) []Worker {
	return s.Workers[p.FirstWorker : p.FirstWorker+p.NumWorkers]
}

// UIDs returns the effective user IDs of a process's tasks, ascending.
func (s *Snapshot) UIDs(p *Process) []uint32 {
	if !p.UIDsDiffer {
		return []uint32{p.UID}
	}
	var uids []uint32
	for _, t := range s.TasksOf(p) {
		uids = append(uids, t.UID)
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

// Find returns the process with a PID, or nil.
func (s *Snapshot) Find(pid int32) *Process {
	if i := s.Index(pid); i >= 0 {
		return &s.Processes[i]
	}
	return nil
}

// Index returns the place in Processes of the process with a PID, or -1.
func (s *Snapshot) Index(pid int32) int {
	// BinarySearchFunc would copy each process that it looks at.
	i := sort.Search(len(s.Processes), func(i int) bool { return s.Processes[i].PID >= pid })
	if i < len(s.Processes) && s.Processes[i].PID == pid {
		return i
	}
	return -1
}

// Comm is a task's command name: up to 15 bytes and NULs behind them.
type Comm [16]byte

// String returns the name without its NULs. The bytes are whatever the process
// chose: escape them before printing.
func (c *Comm) String() string { return unix.ByteSliceToString(c[:]) }
