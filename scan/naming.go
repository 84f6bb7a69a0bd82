// SPDX-License-Identifier: Apache-2.0

package scan

// Naming says whose word a workload's name is, ascending by how far it is to be
// trusted.
type Naming uint8

const (
	// NamedByProgram: after an executable, which whoever runs it calls as they like.
	NamedByProgram Naming = iota
	// NamedByUser: a unit of a user's manager.
	NamedByUser
	// NamedByHost: a unit of the system manager, or a container that Kubernetes named.
	NamedByHost
)

// Naming returns whose word the name is.
func (w *Workload) Naming() Naming {
	switch {
	case w.Kind == Unit, w.Kind == InContainer && w.Container != nil && w.Container.Namespace != "":
		return NamedByHost
	case w.Kind == UserUnit:
		return NamedByUser
	default:
		return NamedByProgram
	}
}
