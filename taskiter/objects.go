// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"slices"

	"github.com/landlockd/landlockd/domainid"
)

// Resolver opens what assets are, anew for each scan.
type Resolver interface {
	// Resolve returns the objects, which it does not change later, and for each the
	// number of a descriptor (O_PATH is enough) in a process, or -1 if there is none.
	Resolve(ctx context.Context) (objects []domainid.Object, descriptors []int32, pid int)
	// Assets returns those that the last objects are of.
	Assets() []domainid.Asset
	// Release closes them. It reports whether they were open until then.
	Release() bool
}

const maxObjects = int(objectLimitOBJECTS_MAX)

var _ [maxObjects - domainid.MaxObjects]struct{} // or it does not compile

// spacesOfAccount is how many mount namespaces of one account's tasks are looked at.
const spacesOfAccount = 256

// Resolve has scans state what domains deny on what a resolver opens; nil ends that. It
// must not be called during a Scan. Where rules are not read, nothing is stated.
func (s *Source) Resolve(r Resolver) { s.resolver = r }

// NoWays returns why what a resolver opens is not looked at here, or an empty text.
func (s *Source) NoWays() string { return s.state.NoWays }

// openObjects opens what assets are, and has the programs look for ways to it.
func (s *Source) openObjects(ctx context.Context) {
	c := s.control
	c.Scan++
	c.NumObjects, c.NumSpaces, c.MaxSpaces = 0, 0, spacesOfAccount
	s.objects, s.assets = nil, nil
	if s.resolver == nil || len(s.files) <= waysFile {
		return
	}
	objects, fds, pid := s.resolver.Resolve(ctx)
	if len(objects) > maxObjects {
		objects = nil // of no asset it is known then
	}
	copy(c.Objects[:], fds[:len(objects)])
	c.Resolver = int32(pid)
	s.objects, c.NumObjects = objects, uint32(len(objects))
	s.assets = s.resolver.Assets()
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

// closeObjects does without them until the next scan. What was found of those that did not
// stay open is not known.
func (s *Source) closeObjects() {
	if s.control.NumObjects == 0 {
		return
	}
	if s.control.NumObjects = 0; !s.resolver.Release() {
		s.spaces.forget()
	}
}
