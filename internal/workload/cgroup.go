// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// Facts is what the path of a cgroup shows of the processes in it.
type Facts struct {
	// Workload has a name, folded and not, unless the executable gives it: if Kind is
	// Executable or InContainer. Container is of this call.
	scan.Workload
	// Machine is the name of a container of LXC, Incus, libvirt or Nomad, which is
	// part of the full name. It does not come from Kubernetes.
	Machine string
}

// isInUnit reports whether the cgroup is a unit's, or below that.
func (f *Facts) isInUnit() bool { return f.Kind == scan.Unit || f.Kind == scan.UserUnit }

// awaitsName reports whether the cgroup is that of a container whose name the logs may give,
// and notes of one that surely has none that it is so.
func (f *Facts) awaitsName() bool {
	of := f.Container
	if of == nil {
		return false
	}
	awaits := isID(of.ID)
	of.Unnamed = of.Unnamed || !awaits && of.PodUID == "" // of LXC, Mesos or a build
	return awaits
}

// names returns the names, folded and not, of a program in the cgroup, by its executable.
func (f *Facts) names(exe string) (name, full string) {
	if f.Name != "" {
		return f.Name, f.FullName
	}
	name = executableName(exe)
	full = name
	if f.Kind == scan.InContainer {
		name, full = containerName("", name), containerName(f.Machine, name)
	}
	return withoutIDs(name), full
}

// Parse returns what the path of a cgroup shows, below the root of the hierarchy that
// processes are named in. The layout is systemd's: slices, and in them a unit.
//
// A unit is the system manager's only if all that is above it is slices. What is
// below a unit's own cgroup was made by whoever that unit runs: it is the unit's,
// however it is called. Only below the units that run containers for the system are
// there containers. What is in a container was made there, and names nothing.
func Parse(path string, runtimes RuntimeUnits) Facts {
	p := parser{runtimes: runtimes}
	p.f.Cgroup = path
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

// maker is who makes what is below some component of a path.
type maker uint8

const (
	bySystemManager maker = iota
	byUserManager         // of parser.uid
	byRuntime             // a unit that runs containers
	byUnit                // any other: everything is that unit's
	byRoot                // in a cgroup that is none of systemd's
	byUsers               // in one that users were given
)

type parser struct {
	runtimes RuntimeUnits
	f        Facts
	below    maker
	uid      string
	pod      string
	// first is the component that is none of systemd's and has only slices above.
	first string
}

// component takes the next component, and reports whether the rest means nothing.
func (p *parser) component(component, before string) (end bool) {
	switch p.below {
	case byUnit:
		p.f.Delegated = true
		return true
	case byUserManager:
		return p.userUnit(unescape(component))
	case byRuntime:
		p.f.Delegated = true
	}
	if isMonitor(component) {
		// It watches a container, and is in none.
		p.pod = ""
	} else if c := p.container(component, before); c != nil {
		if p.below == byUsers {
			p.f.Delegated = true
			return true
		}
		c.PodUID = cmp.Or(c.PodUID, p.pod)
		p.inContainer(c)
		return true
	} else if pod := findPod(component); pod != "" && p.below != byUsers {
		p.pod = pod
	}
	if p.below == bySystemManager {
		p.systemUnit(component)
	}
	return false
}

// systemUnit takes a component that has only slices above.
func (p *parser) systemUnit(component string) {
	name := unescape(component)
	switch {
	case isSlice(name):
		p.f.Slice = name
		return
	case !isUnit(name):
		p.below, p.first = byRoot, component
		if component == "user" { // of pam_cgfs(8)
			p.below = byUsers
		}
		return
	}
	p.f.Kind = scan.Unit
	p.f.Unit, p.f.FullName, p.f.Name = name, name, fold(name, p.f.Slice)
	p.below = byUnit
	if uid, ok := managerOf(name); ok {
		p.below, p.uid = byUserManager, uid
	} else if p.runtimes.has(name) {
		p.below = byRuntime
	}
}

// userUnit takes a component below a user's manager, and reports whether the rest means
// nothing.
func (p *parser) userUnit(name string) (end bool) {
	switch {
	case isSlice(name):
		return false
	case !isUnit(name):
		p.f.Delegated = true
		return true
	}
	p.f.Kind = scan.UserUnit
	p.f.Unit = "user@" + p.uid + "/" + name
	p.f.FullName, p.f.Name = p.f.Unit, "user@/"+fold(name, "")
	p.below = byUnit
	return false
}

// container returns the container that a component names; nil if it names none.
func (p *parser) container(component, before string) *scan.Container {
	if c := findContainer(component, before); c != nil {
		return c
	}
	runtime := ""
	switch {
	case p.below == bySystemManager:
		runtime, p.f.Machine = findMachine(component)
	case p.below == byRoot && before == p.first:
		if uuid, task, _ := strings.Cut(component, "."); wholeUUID().MatchString(uuid) &&
			(before == "mesos" && task == "" || before == "nomad") {
			p.f.Machine = task
			return &scan.Container{Runtime: before, ID: uuid}
		}
		runtime, p.f.Machine = findOldMachine(component, before)
	case p.below == byRoot:
		runtime, p.f.Machine = findOldMachine(component, "")
	}
	if runtime == "" {
		return nil
	}
	return &scan.Container{Runtime: runtime}
}

func (p *parser) inContainer(c *scan.Container) {
	p.f.Kind, p.f.Container = scan.InContainer, c
	p.f.Unit, p.f.Name, p.f.FullName, p.f.Delegated = "", "", "", false
}

func (p *parser) result() Facts {
	nobodys := p.f.Kind == scan.Executable || p.below == byRuntime
	if p.pod != "" && p.f.Container == nil && nobodys {
		// In a pod, but in none of its containers: Kata's virtual machines are.
		p.inContainer(&scan.Container{PodUID: p.pod})
	}
	f := p.f
	f.Name, f.FullName, f.Machine = clean(f.Name), clean(f.FullName), clean(f.Machine)
	return f
}
