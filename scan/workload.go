// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/internal/order"
)

// NoWorkload is the Workload of a process that none was found for yet.
const NoWorkload int32 = -1

// WorkloadKind is what kind of thing a workload is.
type WorkloadKind uint8

const (
	// Executable: known by the program alone; no unit and no container.
	Executable WorkloadKind = iota
	// Unit: a unit that the system manager made.
	Unit
	// UserUnit: a unit that a user's manager made.
	UserUnit
	// InContainer: a container.
	InContainer
)

var workloadKinds = enum.Words[WorkloadKind]{"executable", "unit", "user_unit", "container"}

func (k WorkloadKind) String() string { return workloadKinds.Of(k) }

// MarshalText encodes the word.
func (k WorkloadKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *WorkloadKind) UnmarshalText(b []byte) error {
	return workloadKinds.Parse(k, b, "kind of a workload")
}

// Workload is what people call the program that some processes are part of. Several
// may share a Name: instances of one template, for example. All text in it is
// chosen by others; Name alone is fit to be shown as it is.
type Workload struct {
	// Name is folded, so that names are stable and few: valid UTF-8 without
	// control characters, neither empty nor longer than 128 bytes.
	Name string
	// FullName is the name before folding, in the same form as Name.
	FullName string
	Kind     WorkloadKind
	// Cgroup is the path of its cgroup below the hierarchy's root, "/" for the
	// root itself; empty if it could not be resolved.
	Cgroup string
	// Unit is the unit's name, not folded: of the system manager, or
	// "user@UID/NAME" of a user's. Below a delegated cgroup it is the unit that
	// the cgroup was delegated to. A container has none.
	Unit string
	// Slice is the innermost slice of the system manager that it is in.
	Slice string
	// Delegated: the process is below its unit's own cgroup, in one that somebody else
	// than the unit's manager made. If there is no unit, it is in a container only by
	// the word of a user.
	Delegated bool
	// Container is nil unless Kind is InContainer.
	Container *Container
}

// Container is one container, as far as its cgroup and the host's /var/log/containers
// show; what they do not show is empty.
type Container struct {
	// ID is the runtime's, PodUID that of the Kubernetes pod. Neither is fit for a label.
	ID, PodUID string
	// Runtime is "docker", "containerd", "cri-o", "podman", ... as far as the path shows.
	Runtime string
	// They are Kubernetes'. Containers of other kinds have no Name.
	Namespace, Pod, Name string
	// Unnamed reports whether it is known that no container's name in Kubernetes
	// belongs to it: it is in no pod, or is a pod's sandbox. If false, and Name is
	// empty, the name is not known yet, or for good.
	Unnamed bool
}

// WorkloadOf returns the workload of a process of this snapshot, or nil.
func (s *Snapshot) WorkloadOf(p *Process) *Workload {
	if p.Workload < 0 || int(p.Workload) >= len(s.Workloads) {
		return nil
	}
	return &s.Workloads[p.Workload]
}

// WorkloadProcesses is what the processes of all workloads of one name are.
type WorkloadProcesses struct {
	Name string
	// Naming is the most trusted of those that have processes.
	Naming    Naming
	Processes ByState
	// Ineffective: it is sandboxed, and all of its processes are ineffective; see
	// [Snapshot.Ineffective].
	Ineffective access.Answer
}

// State is the workload's: what it is as a whole.
func (w *WorkloadProcesses) State() State { return w.Processes.State() }

// ByWorkload returns the counts of each workload's processes by its Name, ascending; nil
// if the snapshot has no workloads. Workloads of one name are one. Of snapshots that are the same
// they are counted once: the result is shared, and must not be changed.
func (s *Snapshot) ByWorkload() []WorkloadProcesses {
	return CountOnce(s, byWorkloadKey, (*Snapshot).countByWorkload)
}

func (s *Snapshot) countByWorkload() []WorkloadProcesses {
	if len(s.Workloads) == 0 {
		return nil
	}
	all := make([]WorkloadProcesses, len(s.Workloads))
	for i := range all {
		all[i].Name, all[i].Ineffective = s.Workloads[i].Name, access.Yes
	}
	for i := range s.Processes {
		if p := &s.Processes[i]; p.Workload >= 0 && int(p.Workload) < len(all) {
			w := &all[p.Workload]
			w.Processes[p.State&3]++
			w.Naming = s.Workloads[p.Workload].Naming()
			w.Ineffective = w.Ineffective.And(s.Ineffective(p))
		}
	}
	byName := func(a, b WorkloadProcesses) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(all, byName) {
		order.By(all, byName)
	}
	one := all[:0]
	for _, w := range all {
		if n := len(one); n > 0 && one[n-1].Name == w.Name {
			for state, processes := range w.Processes {
				one[n-1].Processes[state] += processes
			}
			one[n-1].Ineffective = one[n-1].Ineffective.And(w.Ineffective)
			one[n-1].Naming = max(one[n-1].Naming, w.Naming)
			continue
		}
		one = append(one, w)
	}
	return slices.DeleteFunc(one, func(w WorkloadProcesses) bool { return w.Processes == ByState{} })
}
