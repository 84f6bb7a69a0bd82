// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"slices"

	"github.com/landlockd/landlockd/domainid"
)

// Resolver opens what assets are, anew for each scan.
type Resolver interface {
	// Resolve returns the objects, and for each a descriptor of this process (O_PATH is
	// enough), or -1 if there is none. They stay open until the next call, or release.
	Resolve(ctx context.Context) (objects []domainid.Object, descriptors []int)
	// Release closes them.
	Release()
}

const maxObjects = int(objectLimitOBJECTS_MAX)

// spacesOfAccount is how many mount namespaces of one account's tasks are looked at.
const spacesOfAccount = 256

// Resolve has scans state what domains deny on what a resolver opens; nil ends that. It
// must not be called during a Scan. Where rules are not read, nothing is stated.
func (s *Source) Resolve(r Resolver) { s.resolver = r }

// openObjects opens what assets are, and has the programs look for ways to it.
func (s *Source) openObjects(ctx context.Context) {
	c := s.control
	c.Scan, c.NumObjects, c.NumSpaces, c.MaxSpaces = s.scans+1, 0, 0, spacesOfAccount
	s.objects = nil
	if s.resolver == nil || len(s.files) <= waysFile {
		return
	}
	objects, fds := s.resolver.Resolve(ctx)
	objects = objects[:min(len(objects), maxObjects)]
	for i := range objects {
		c.Objects[i] = int32(fds[i])
	}
	s.objects, c.NumObjects = objects, uint32(len(objects))
	if !slices.EqualFunc(objects, []byte(s.kinds), func(o domainid.Object, kind byte) bool {
		return byte(o.Kind) == kind
	}) {
		kinds := make([]byte, len(objects))
		for i := range objects {
			kinds[i] = byte(objects[i].Kind)
		}
		s.kinds = string(kinds)
	}
}

// closeObjects does without them until the next scan.
func (s *Source) closeObjects() {
	if s.control.NumObjects = 0; s.resolver != nil {
		s.resolver.Release()
	}
}
