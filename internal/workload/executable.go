// SPDX-License-Identifier: Apache-2.0

package workload

import "strings"

const (
	// unreadable is the name of an executable whose path the kernel does not show.
	unreadable = "exe:unreadable"
	// Other is the name under which metrics add up the workloads that have no
	// series of their own. No workload is called so.
	Other = "other"
)

// executableName returns the name of a program by its executable's path, as the
// kernel shows it: the last part. An executable that lives in memory only is
// called memfd:NAME.
//
// Whoever runs a process can choose that name. So one that looks like another
// kind of workload's, such as sshd.service, gets "exe:" in front.
func executableName(path string) string {
	if name, ok := strings.CutPrefix(path, "/memfd:"); ok {
		return clean("memfd:" + name)
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" {
		return unreadable
	}
	name = clean(name)
	_, unit := cutUnitSuffix(name)
	// A name of a unit that was cut has no suffix.
	if unit || strings.Contains(name, ":") || name == Other || name == foldedRun ||
		len(name) == maxName {
		name = clean("exe:" + name)
	}
	return name
}

// containerName returns the name of a workload in a container of which no more
// than the executable's name is known, and that of its machine, if it is one.
func containerName(machine, executable string) string {
	if machine != "" {
		executable = machine + "/" + executable
	}
	return clean("container:" + executable)
}
