// SPDX-License-Identifier: Apache-2.0

package main

// nobodys are options of a service that runs without privilege, and has a cgroup to
// manage.
const nobodys = "User=nobody\nDelegate=yes"

// pod is where a kubelet has the containers of the pod that has a log.
const pod = "kubepods.slice/kubepods-burstable.slice/" +
	"kubepods-burstable-pod8d5c1a3e_52f1_4d0e_9d1b_6a1f0c2b7e44.slice/"

// delegated are services that go to a cgroup below their own, which looks like that of
// a container or of another unit. None leaves its unit by that.
func delegated() []service {
	var all []service
	for _, d := range []struct{ unit, options, below string }{
		{"d-dot.service", nobodys, "lxc.payload.x"},
		{"d-lxc.service", nobodys, "lxc/x"},
		{"d-slash.service", nobodys, "lxc.payload/x"},
		{"d-libvirt.service", nobodys, `machine-lxc\x2dx.scope`},
		{"d-docker.service", nobodys, "docker-" + dockerID + ".scope"},
		{"d-podman.service", nobodys, "libpod-payload-" + podmanID},
		// The container that has this ID runs, and has a name.
		{"d-kube.service", nobodys, pod + "cri-containerd-" + webID + ".scope"},
		{"d-runtime.service", nobodys, "k3s.service/" + pod + "cri-containerd-" + webID + ".scope"},
		{"d-nspawn.service", nobodys, "payload"},
		{"d-other.service", nobodys, "system.slice/other.service"},
		{"d-user.service", nobodys, "user.slice/user-1000.slice/user@1000.service/app.slice/x.service"},
		// One of root's. DelegateSubgroup= (systemd 254) puts it in the first of these.
		{"d-root.service", "Delegate=yes", "inner/lxc.payload.x"},
	} {
		all = append(all, service{
			unit: d.unit, options: d.options,
			processes: []placed{{exe: programs + "delegated", below: d.below}},
		})
	}
	return all
}
