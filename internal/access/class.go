// SPDX-License-Identifier: Apache-2.0

package access

import "github.com/landlockd/landlockd/domainid"

// Class is what a right is about: the mask that its bit is in.
type Class uint8

const (
	// FS are the rights to files, LANDLOCK_ACCESS_FS_*.
	FS Class = iota
	// Net are the rights to network ports, LANDLOCK_ACCESS_NET_*.
	Net
	// Scope are what reaches out of the domain, LANDLOCK_SCOPE_*. No rule can
	// grant these.
	Scope
	numClasses
)

// bitsPerClass is the width of a class's mask.
const bitsPerClass = 32

func (c Class) String() string {
	switch c {
	case FS:
		return "fs"
	case Net:
		return "net"
	case Scope:
		return "scope"
	default:
		return "invalid"
	}
}

// of returns the mask of the class.
func (c Class) of(r domainid.Rights) uint32 {
	switch c {
	case FS:
		return r.FS
	case Net:
		return r.Net
	case Scope:
		return r.Scope
	default:
		return 0
	}
}

// rights is the set with this mask in the class and nothing else.
func (c Class) rights(mask uint32) domainid.Rights {
	switch c {
	case FS:
		return domainid.Rights{FS: mask}
	case Net:
		return domainid.Rights{Net: mask}
	case Scope:
		return domainid.Rights{Scope: mask}
	default:
		return domainid.Rights{}
	}
}
