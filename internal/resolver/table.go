// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"cmp"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/order"
)

// table is what assets were found to be.
type table struct {
	// objects are at most domainid.MaxObjects. The directory of a file or socket has the
	// asset -1.
	objects []domainid.Object
	// descriptors has one for each object, of the process that opened them, or -1 if it is
	// absent or unreadable.
	descriptors []int32
}

func (t *table) add(object domainid.Object, fd int32) int32 {
	t.objects, t.descriptors = append(t.objects, object), append(t.descriptors, fd)
	return int32(len(t.objects) - 1)
}

// unread is the table of assets of which nothing could be found out.
func unread(assets []domainid.Asset) (t table) {
	for i := range assets {
		if paths := pathsOf(&assets[i]); len(paths) > 0 {
			t.add(domainid.Object{Asset: int32(i), Path: paths[0], Parent: -1}, -1)
		}
	}
	return t
}

// size is how many objects an asset is, with the directories that they are in.
func (f *found) size() (n int) {
	in := map[string]bool{}
	for i := range f.places {
		parents := f.places[i].parents
		for k := range parents {
			in[parents[k].path] = true
		}
		n += max(1, len(parents))
	}
	return n + len(in)
}

// assemble makes a table of what was found. Assets that are little come first: none that
// others can have be much leaves no room for them.
func assemble(all []found) (t table) {
	order.StableBy(all, func(a, b found) int { return cmp.Compare(a.size(), b.size()) })
	parents := map[string]int32{}
	for i := range all {
		reserved := 0 // an object for each asset that follows
		for j := i + 1; j < len(all); j++ {
			reserved += min(1, len(all[j].places))
		}
		for j := range all[i].places {
			p := &all[i].places[j]
			if len(t.objects)+2*max(1, len(p.parents))+1+reserved > domainid.MaxObjects {
				t.add(domainid.Object{Asset: all[i].asset, Path: p.path, Parent: -1}, -1)
				break
			}
			t.addPlace(all[i].asset, p, parents)
		}
	}
	return t
}

// addPlace adds an object for each directory that has it, or leads to it, in it.
func (t *table) addPlace(asset int32, p *place, parents map[string]int32) {
	object := domainid.Object{Asset: asset, Path: p.path, Kind: p.ObjectKind, Parent: -1}
	for _, parent := range p.parents {
		at, there := parents[parent.path]
		if !there {
			at = t.add(domainid.Object{
				Asset: -1, Path: parent.path, Kind: domainid.ObjectDirectory, Parent: -1,
			}, int32(parent.fd))
			parents[parent.path] = at
		}
		object.Parent = at
		t.add(object, int32(p.fd))
	}
	if len(p.parents) == 0 {
		t.add(object, int32(p.fd))
	}
}
