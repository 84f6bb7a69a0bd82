// SPDX-License-Identifier: Apache-2.0

package domainid

import "iter"

// maxNesting is the largest number of layers that any kernel allows (64 before
// Linux 5.19, 16 since). A longer lineage does not come from a kernel: it is
// cut, so that hostile input cannot make a walk from a domain to its outermost
// one expensive.
const maxNesting = 64

// Member is one process as a forest needs it.
type Member struct {
	// PID names the process. If two members have the same, children belong
	// to the one that stands first.
	PID int32
	// PPID is the parent's PID. A parent that is not among the members, or
	// that is not older than its child, makes the child a root.
	PPID int32
	// Start is the time of creation, in any unit that all members share. A
	// parent is never younger than its child; one that seems so is another
	// process, which got the PID during the scan. Leave it zero to skip
	// that test.
	Start uint64
	// Domains are the indices of the innermost domains of the process's
	// tasks. They may repeat; indices of no domain, such as Outermost, are
	// skipped.
	Domains []int32
}

// Forest maps domains to the process trees that live in them. It joins two
// hierarchies: which process is the parent of which, over the whole host, and
// which domain is nested in which. Processes and domains are named by their
// indices in the slices given to [NewForest]; a method panics for an index of
// neither.
//
// A forest accepts any input. A scan is not atomic, so parents may be missing,
// reused or in a circle: such a process is a root of a tree, and each member
// is in exactly one tree.
//
// Domain IDs have no order, so none is read from them: domains are ordered by
// the process with the lowest PID in them. Equal input gives equal order.
//
// A forest is never changed and is safe for concurrent use. Slices that it returns
// share its memory, unless documented otherwise: do not change them.
type Forest struct {
	procs   hierarchy
	domains hierarchy
	// members holds the processes of each domain, ascending by PID.
	members  [][]int32
	numBelow []int32
}

// NewForest joins domains and processes. In domains, a parent must stand before
// its children, as in a snapshot; a Parent that does not counts as Outermost.
// It takes time O(n log n) in the number of members and no recursion. The
// arguments are not kept.
func NewForest(domains []Domain, members []Member) *Forest {
	f := &Forest{}
	byPID := sortByPID(members)
	f.procs = newHierarchy(processParents(members, byPID), byPID)
	parents := domainParents(domains)
	f.domains = newHierarchy(parents, sortByMembers(parents, members, byPID))
	f.place(members, byPID)
	return f
}

// Parent returns the parent of process p, or Outermost (-1) if p is a root.
func (f *Forest) Parent(p int32) int32 { return f.procs.parent[p] }

// Walk yields each process once with its level, 0 for a root: a parent before
// its children, and all below a process before the process's next sibling.
func (f *Forest) Walk() iter.Seq2[int32, int] { return f.procs.walk() }

// ParentDomain returns the domain that d is nested in directly, or Outermost.
func (f *Forest) ParentDomain(d int32) int32 { return f.domains.parent[d] }

// NestedDomains returns the domains that are nested in d directly.
func (f *Forest) NestedDomains(d int32) []int32 { return f.domains.children(d) }

// WalkDomains yields each domain once with its level, 0 for an outermost one,
// in the order of [Forest.Walk].
func (f *Forest) WalkDomains() iter.Seq2[int32, int] { return f.domains.walk() }

// Members returns the processes with a task whose innermost domain is d,
// ascending by PID. A process is in several domains if its tasks are.
func (f *Forest) Members(d int32) []int32 { return f.members[d] }

// NumBelow returns the number of processes with a task in d or in a domain
// nested in it.
func (f *Forest) NumBelow(d int32) int { return int(f.numBelow[d]) }
