// SPDX-License-Identifier: Apache-2.0

package explain

import (
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
	// Sandboxes are the different ones that its tasks are in.
	Sandboxes []Sandbox
	// Free and Unknown are the numbers of tasks that are in no domain, and of
	// those of which that could not be told.
	Free, Unknown int
	// Rules is what rules of a configuration have to do with it.
	Rules []policy.Explanation
	// Places are the paths that were found of files; NoPlaces says why not all
	// were looked for.
	Places   map[File]string
	NoPlaces string
	// Sockets is nil if they were not looked for.
	Sockets *Sockets
	// Denials is nil if no daemon was asked.
	Denials *Denials
}

// File names a file by the device of its filesystem, as stat(2) tells it, and its
// inode number.
type File struct{ Dev, Ino uint64 }

// Sandbox is domains that let tasks do the same.
type Sandbox struct {
	// Domains are the different domains of its tasks, as places in the
	// snapshot. They are alike in what they let do, and no more than that.
	Domains []int32
	Tasks   int
	Deeds   []Deed
}

// Chain returns the domains of the sandbox's layers, those of the first of its
// Domains, the outermost first.
func (b *Sandbox) Chain(s *scan.Snapshot) []int32 {
	if len(b.Domains) == 0 {
		return nil
	}
	chain := slices.Collect(domainid.Chain(s.Domains, b.Domains[0]))
	slices.Reverse(chain)
	return chain
}

// Of explains a process of a snapshot.
func Of(s *scan.Snapshot, p *scan.Process) *Explanation {
	e := &Explanation{Snapshot: s, Process: p}
	tasks := map[int32]int{} // by domain
	var order []int32
	for _, t := range s.TasksOf(p) {
		switch t.State {
		case scan.Unsandboxed:
			e.Free++
		case scan.Sandboxed:
			if tasks[t.Domain] == 0 {
				order = append(order, t.Domain)
			}
			tasks[t.Domain]++
		default:
			e.Unknown++
		}
	}
	// Only if all tasks have one domain, what is known of the process is of that.
	alone := len(order) == 1 && (p.State == scan.Sandboxed || p.State == scan.Partial)
	for _, d := range order {
		deeds := deedsOf(s, p, d, alone)
		if i := slices.IndexFunc(e.Sandboxes, func(b Sandbox) bool { return reflect.DeepEqual(b.Deeds, deeds) }); i >= 0 {
			b := &e.Sandboxes[i]
			b.Domains, b.Tasks = append(b.Domains, d), b.Tasks+tasks[d]
			continue
		}
		e.Sandboxes = append(e.Sandboxes, Sandbox{Domains: []int32{d}, Tasks: tasks[d], Deeds: deeds})
	}
	return e
}

// Files returns the files that rules are on, each once.
func (e *Explanation) Files() []File {
	var files []File
	seen := map[File]bool{}
	for _, b := range e.Sandboxes {
		for _, d := range b.Deeds {
			for _, l := range d.Limits {
				for _, f := range l.Files {
					if at := (File{f.Dev, f.Ino}); !seen[at] {
						seen[at] = true
						files = append(files, at)
					}
				}
			}
		}
	}
	return files
}
