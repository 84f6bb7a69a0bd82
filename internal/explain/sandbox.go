// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Explanation is everything known of one process.
type Explanation struct {
	Snapshot *scan.Snapshot
	Process  *scan.Process
	// Origin is whose scan it is, "daemon", "scan" or "file", and By says so in words. Both are
	// empty if that is not known.
	Origin, By string
	// Sandboxes are the different ones that its tasks are in.
	Sandboxes []Sandbox
	// Assets are those of the snapshot, if some task is in a domain.
	Assets []Asset
	// Free and Unknown are the numbers of tasks that are in no domain, and of
	// those of which that is not known.
	Free, Unknown int
	// Roots are the root directories of its tasks; nil if they were not looked for.
	Roots *Roots
	// Rules is what rules of a configuration have to do with it.
	Rules []policy.Explanation
	// Places are the paths that were found of files, as seen from the first of
	// Roots; NoPlaces is why not all were looked for.
	Places   map[File]string
	NoPlaces string
	// Gone are the files of which is certain that the process finds them by no path: rules on
	// them are stale.
	Gone map[File]bool
	// Sockets is nil if they were not looked for.
	Sockets *Sockets
	// Denials is nil if no daemon was asked.
	Denials *Denials
}

// File names a file by the device of its filesystem, as stat(2) gives it, and its
// inode number.
type File struct{ Dev, Ino uint64 }

// Sandbox is domains that let tasks do the same.
type Sandbox struct {
	// In are the different places of its tasks. They are alike only in what they let do.
	In []In
	// TIDs are those of its tasks, ascending.
	TIDs []int32
	// Layers are those of the first of In, the outermost first.
	Layers []domainid.Layer
	// Means is what being in the first of In means.
	Means       domainid.Sandbox
	Permissions []Permission
}

// In is where a task is: a domain, or domainid.Outermost if that is not known, and
// the view of it, or domainid.NoView. Both are indices in the snapshot.
type In struct{ Domain, View int32 }

// Domains returns the different domains of a sandbox, as indices in the snapshot.
func (b *Sandbox) Domains() []int32 {
	var domains unique[int32]
	for _, in := range b.In {
		if in.Domain >= 0 {
			domains.add(in.Domain)
		}
	}
	return domains.all
}

// unique is a list in which each is once, as it came first.
type unique[T comparable] struct {
	all  []T
	seen map[T]bool
}

func (u *unique[T]) add(v T) {
	if u.seen == nil {
		u.seen = map[T]bool{}
	}
	if !u.seen[v] {
		u.seen[v] = true
		u.all = append(u.all, v)
	}
}

// Of explains a process of a snapshot.
func Of(s *scan.Snapshot, p *scan.Process) *Explanation {
	e := &Explanation{Snapshot: s, Process: p}
	g := grouper{
		e: e, m: s.Meaning(), at: map[place]int{}, like: map[uint64][]int{}, seed: maphash.MakeSeed(),
	}
	for i := range s.TasksOf(p) {
		t := &s.TasksOf(p)[i]
		switch t.State {
		case scan.Unsandboxed:
			e.Free++
		case scan.Unknown:
			e.Unknown++
		default:
			b := &e.Sandboxes[g.sandboxOf(t)]
			b.TIDs = append(b.TIDs, t.TID)
		}
	}
	e.addAssets(g.m)
	return e
}

// grouper puts tasks into sandboxes. A process can have threads in very many of them.
type grouper struct {
	e *Explanation
	m *domainid.Meaning
	// at has the sandbox of tasks that are in one place, and like those that may be
	// alike.
	at   map[place]int
	like map[uint64][]int
	seed maphash.Seed
}

// place is where a task is, and how deep if its domain is not known.
type place struct {
	in    In
	depth uint16
	exact bool
}

// sandboxOf returns the index of the sandbox that a task is in.
func (g *grouper) sandboxOf(t *scan.Task) int {
	in := In{t.Domain, t.View}
	at := place{in: in}
	if in.Domain < 0 {
		at.depth, at.exact = t.Depth, t.DepthExact
	}
	if n, found := g.at[at]; found {
		return n
	}
	b := Sandbox{
		In:     []In{in},
		Layers: g.m.Layers(t.Domain, t.View),
		Means:  g.m.Task(t.Domain, t.View, t.Depth, t.DepthExact),
	}
	b.Permissions = permissionsOf(g.e.Snapshot, g.m, in, b.Means.Handles.Sure)
	all := &g.e.Sandboxes
	hash := maphash.Bytes(g.seed, fmt.Append(nil, b.Permissions))
	for _, n := range g.like[hash] {
		if b.alike((*all)[n]) {
			g.at[at] = n
			(*all)[n].In = append((*all)[n].In, in)
			return n
		}
	}
	n := len(*all)
	*all = append(*all, b)
	g.at[at], g.like[hash] = n, append(g.like[hash], n)
	return n
}

// alike reports whether two sandboxes let do the same, layer by layer.
func (b *Sandbox) alike(o Sandbox) bool {
	sameLayer := func(x, y domainid.Layer) bool {
		x.Domain, y.Domain = 0, 0
		return x == y
	}
	return b.Means == o.Means && slices.EqualFunc(b.Layers, o.Layers, sameLayer) &&
		reflect.DeepEqual(b.Permissions, o.Permissions)
}

// Files returns the files that rules are on, each once.
func (e *Explanation) Files() []File {
	var files unique[File]
	for _, b := range e.Sandboxes {
		for _, d := range b.Permissions {
			for _, l := range d.Limits {
				for _, f := range l.Files {
					files.add(File{f.Dev, f.Ino})
				}
			}
		}
	}
	return files.all
}
