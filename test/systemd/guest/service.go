// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// service is one of the scenario "units", and what has to be seen of it.
type service struct {
	unit string
	// options are lines of its [Service] section, beside what starts it.
	options string
	// slice is empty if it is the system's.
	slice string
	// start is what it starts; if empty, that is one process after the other.
	start     []string
	processes []placed
}

// placed is a process of a service.
type placed struct {
	exe string
	// below is its cgroup, from that of the unit on.
	below string
	// workload is what it is called; if empty, as its unit.
	workload string
	// depth is that of its sandbox.
	depth string
}

// cgroup returns the cgroup of the unit, from the root of the hierarchy on.
func (s *service) cgroup() string {
	if s.slice != "" {
		return "/" + s.slice + "/" + s.unit
	}
	return "/system.slice/" + s.unit
}

// section returns the text of its unit file. The last process is what the service
// becomes, so that systemd sees whether it runs.
func (s *service) section() string {
	command := s.start
	if command == nil && len(s.processes) == 1 {
		command = s.command(s.processes[0])
	} else if command == nil {
		var script strings.Builder
		for i, p := range s.processes {
			if i == len(s.processes)-1 {
				script.WriteString("exec")
			}
			for _, word := range s.command(p) {
				script.WriteString(" '" + word + "'")
			}
			if i < len(s.processes)-1 {
				script.WriteString(" & ")
			}
		}
		command = []string{"/bin/sh", "-c", script.String()}
	}
	text := "[Service]\nType=exec\n" + s.options + "\nExecStart=" + execStart(command) + "\n"
	if s.slice != "" {
		text += "Slice=" + s.slice + "\n"
	}
	return text
}

// command returns what becomes a process of the service.
func (s *service) command(p placed) []string {
	var command []string
	if p.below != "" {
		command = []string{self, "enter", cgroups + s.cgroup() + "/" + p.below, "--"}
	}
	if p.depth != "" {
		command = append(command, self, "launch", "depth="+p.depth, "--")
	}
	return append(command, p.exe, "infinity")
}

// seen returns where the processes of services have to be.
func seen(services []service) []expected {
	var all []expected
	for i := range services {
		for _, p := range services[i].processes {
			cgroup := services[i].cgroup()
			if p.below != "" {
				cgroup += "/" + p.below
			}
			all = append(all, expected{p.exe, strings.ReplaceAll(cgroup, `\`, "?"), 1})
		}
	}
	return append(all, expected{"/usr/lib/systemd/systemd", "/init.scope", 1})
}

// namesOf returns the workloads of services, and the system's own.
func namesOf(services []service) map[string]counts {
	names := make(map[string]counts)
	for _, own := range []string{
		"init.scope", "systemd-journald.service", "systemd-logind.service", "dbus.service",
		"checks.service", "landlockd.service",
	} {
		names[own] = workloads[own]
	}
	for i := range services {
		for _, p := range services[i].processes {
			name := p.workload
			if name == "" {
				name = services[i].unit
			}
			c := names[name]
			if p.depth != "" {
				c.sandboxed++
			} else {
				c.unsandboxed++
			}
			names[name] = c
		}
	}
	return names
}

// unitServices are all of the scenario.
func unitServices() []service {
	return slices.Concat(delegated(), runtimes(), origins(), nested())
}
