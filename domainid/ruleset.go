// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"iter"

	"github.com/landlockd/landlockd/access"
)

// Ruleset is what the rules of one layer grant, of the rights that the layer
// handles. It never changes; domains and snapshots share it.
type Ruleset struct {
	// Rules is the number of rules.
	Rules uint32
	// Everywhere are the rights that rules grant without bound: those to files
	// that are granted on the root directory, or above it, of the task through
	// which the rules were read, and those to ports that are granted on every
	// port but 0.
	Everywhere access.Rights
	// Ports are the rules on ports, ascending by port, and Inodes those on
	// files, ascending by device and inode. Only so many are kept: PortsLeftOut
	// and InodesLeftOut count the others.
	Ports                       []PortRule
	Inodes                      []InodeRule
	PortsLeftOut, InodesLeftOut uint32
}

// PortRule grants rights on one port, TCP or UDP as the right says.
type PortRule struct {
	Port uint16
	// Net is the mask of what is granted, as Rights.Net.
	Net uint32
}

// InodeRule grants rights on a file, or on a directory and all that is below it.
type InodeRule struct {
	// Dev is the device of the file's filesystem as it has it itself. Some
	// (btrfs) tell stat(2) another one.
	Dev uint64
	Ino uint64
	// FS is the mask of what is granted, as Rights.FS.
	FS uint32
	// FSRoot: it is the root of its filesystem, which is mounted anywhere.
	FSRoot bool
}

// Restricted returns the rights that the domain's own layer handles and grants
// neither everywhere nor, for ports, without limit. Where its rules were not
// read, these are all that it handles.
func (d *Domain) Restricted() access.Rights {
	if d.Ruleset == nil {
		return d.Handled
	}
	return d.Handled.Without(d.Ruleset.Everywhere)
}

// Restricted returns the rights that a domain of a slice, or one that it is
// nested in, restricts: those that a task in it does not have everywhere.
func Restricted(domains []Domain, i int32) access.Rights {
	var r access.Rights
	for d := range Chain(domains, i) {
		r = r.Union(domains[d].Restricted())
	}
	return r
}

// Handled returns the rights that a domain of a slice, or one that it is nested
// in, handles.
func Handled(domains []Domain, i int32) access.Rights {
	var r access.Rights
	for d := range Chain(domains, i) {
		r = r.Union(domains[d].Handled)
	}
	return r
}

// Chain ranges over a domain of a slice and all that it is nested in, by their
// places, the innermost first.
func Chain(domains []Domain, i int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		i := i
		for range domains { // a chain is no longer
			if i < 0 || int(i) >= len(domains) || !yield(i) {
				return
			}
			i = domains[i].Parent
		}
	}
}
