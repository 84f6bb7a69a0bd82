// SPDX-License-Identifier: Apache-2.0

package scan

// NoWorkload is the Workload of a process that none was found for yet.
const NoWorkload int32 = -1

// WorkloadKind says what kind of thing a workload is.
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

func (k WorkloadKind) String() string {
	switch k {
	case Unit:
		return "unit"
	case UserUnit:
		return "user_unit"
	case InContainer:
		return "container"
	default:
		return "executable"
	}
}

// MarshalText encodes the word.
func (k WorkloadKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

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
	// "user@UID/NAME" of a user's. Empty in a container, below a delegated
	// cgroup it is the unit that the cgroup was delegated to.
	Unit string
	// Slice is the innermost slice of the system manager that it is in.
	Slice string
	// Delegated says that the process is below its unit's own cgroup, in one
	// that somebody else than the system manager made.
	Delegated bool
	// Container is nil unless Kind is InContainer.
	Container *Container
}

// Container is one container, as far as its cgroup and the host's
// /var/log/containers tell; what they do not tell is empty.
type Container struct {
	// ID is the runtime's, PodUID that of the Kubernetes pod. Neither is fit for a label.
	ID, PodUID string
	// Runtime is "docker", "containerd", "cri-o", "podman", ... as far as the path tells.
	Runtime              string
	Namespace, Pod, Name string
}

// WorkloadOf returns the workload of a process of this snapshot, or nil.
func (s *Snapshot) WorkloadOf(p *Process) *Workload {
	if p.Workload < 0 || int(p.Workload) >= len(s.Workloads) {
		return nil
	}
	return &s.Workloads[p.Workload]
}
