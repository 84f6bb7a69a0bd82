// SPDX-License-Identifier: Apache-2.0

package main

const (
	// rootDirectory is one with a program of its own, at the path of one of the host's.
	rootDirectory = "/srv/root"
	// privateUsers are options of a service with users of its own, and files likewise.
	privateUsers = "PrivateUsers=yes\nPrivateTmp=yes"
)

// origins are services that run a program at the same path, in mount namespaces of
// their own. Whose word that path is differs.
func origins() []service {
	program := []placed{{exe: programs + "origin"}}
	return []service{
		{
			unit:      "o-hard.service",
			options:   "ProtectSystem=strict\nPrivateTmp=yes\nUser=nobody",
			processes: program,
		},
		{unit: "o-root.service", options: "RootDirectory=" + rootDirectory, processes: program},
		{unit: "o-private.service", options: privateUsers, processes: program},
	}
}
