// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// Facts is what the path of a cgroup tells of the processes in it.
type Facts struct {
	Kind scan.WorkloadKind
	// Name and FullName are the workload's, folded and not. They are empty
	// where the executable gives the name: if Kind is Executable or InContainer.
	Name, FullName string
	// The others are as in scan.Workload. Container is of this call.
	Unit, Slice string
	Delegated   bool
	Container   *scan.Container
}

// trusted reports whether a container is one by the word of the system: in one
// that somebody made below a unit, an ID may be that of another container.
func (f *Facts) trusted() bool {
	// Some versions of containerd put containers below their own cgroup.
	return !f.Delegated || f.Unit == "containerd.service"
}

// Parse says what the path of a cgroup tells, below the root of the hierarchy that
// systemd names processes in. The layout is systemd's: slices, and in them a unit.
//
// A unit is the system manager's only if nothing but slices is above it. What is
// below a unit's own cgroup was made by whoever that unit runs, and what is in a
// container by whatever runs there: neither names a unit.
func Parse(path string) Facts {
	p := parser{below: systemManager}
	before := ""
	for component := range strings.SplitSeq(path, "/") {
		if component == "" {
			continue
		}
		if p.component(component, before) {
			break
		}
		before = component
	}
	return p.result()
}

// manager is who makes the units below some component of a path.
type manager uint8

const (
	systemManager manager = iota
	userManagerOf         // of parser.uid
	nobody                // below a unit, or below what is none
)

type parser struct {
	f     Facts
	below manager
	uid   string
	pod   string
}

// component takes the next component, and says whether the rest means nothing.
func (p *parser) component(component, before string) (end bool) {
	if p.below != nobody || p.f.Unit == "" {
		if pod := findPod(component); pod != "" {
			p.pod = pod
		}
	}
	if c := findContainer(component, before, p.f.Unit); c != nil {
		if c.PodUID == "" {
			c.PodUID = p.pod
		}
		p.f.Kind, p.f.Container = scan.InContainer, c
		p.f.Delegated = p.f.Unit != ""
		return true
	}
	name := unescape(component)
	switch {
	case p.below == nobody:
		p.f.Delegated = p.f.Unit != ""
	case isSlice(name):
		if p.below == systemManager {
			p.f.Slice = name
		}
	case !isUnit(name):
		p.f.Delegated = p.f.Unit != ""
		p.below = nobody
	case p.below == userManagerOf:
		p.f.Kind = scan.UserUnit
		p.f.Unit = "user@" + p.uid + "/" + name
		p.f.FullName = p.f.Unit
		p.f.Name = "user@/" + fold(name)
		p.below = nobody
	default:
		p.f.Kind = scan.Unit
		p.f.Unit, p.f.FullName, p.f.Name = name, name, fold(name)
		p.below = nobody
		if uid, ok := userManager(name); ok {
			p.below, p.uid = userManagerOf, uid
		}
	}
	return false
}

func (p *parser) result() Facts {
	f := p.f
	if f.Kind == scan.Executable && p.pod != "" {
		// In a pod, but in none of its containers: Kata's virtual machines are.
		f.Kind, f.Container = scan.InContainer, &scan.Container{PodUID: p.pod}
	}
	if f.Kind == scan.InContainer {
		f.Name, f.FullName = "", ""
	}
	f.Name, f.FullName = clean(f.Name), clean(f.FullName)
	return f
}
