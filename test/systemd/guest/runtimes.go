// SPDX-License-Identifier: Apache-2.0

package main

// runtimes are services that run containers below their own cgroup. Those of a unit
// that is known for it are containers; all others are their unit.
func runtimes() []service {
	const quadlet, nspawn = programs + "quadlet", programs + "nspawn"
	return []service{
		{
			unit: "k3s.service", options: "Delegate=yes",
			processes: []placed{
				{
					exe: programs + "web", below: pod + "cri-containerd-" + webID + ".scope",
					workload: "prod/web", depth: "1",
				},
				{
					exe: programs + "pause", below: pod + "cri-containerd-" + imageID + ".scope",
					workload: "container:pause", depth: "1",
				},
				{
					exe: programs + "docked", below: "docker-" + dockerID + ".scope",
					workload: "container:docked", depth: "1",
				},
				// LXC runs none below a unit.
				{exe: programs + "k3s", below: "lxc.payload.x"},
				{exe: programs + "k3s"},
			},
		},
		{
			unit: "web-a.service", options: "Delegate=yes",
			processes: []placed{{exe: quadlet, below: "libpod-payload-" + podmanID, depth: "1"}},
		},
		{
			unit: "web-b.service", options: "Delegate=yes",
			processes: []placed{{exe: quadlet, below: "libpod-payload-" + dockerID}},
		},
		{
			unit: "systemd-nspawn@deb.service", options: "Delegate=yes", slice: "machine.slice",
			processes: []placed{
				{exe: nspawn, below: "payload/init.scope", workload: "systemd-nspawn@.service"},
				{exe: nspawn, below: "supervisor", workload: "systemd-nspawn@.service"},
			},
		},
	}
}
