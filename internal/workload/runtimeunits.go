// SPDX-License-Identifier: Apache-2.0

package workload

import "fmt"

// defaultRuntimeUnits are those that run containers for the system below their own
// cgroup: container runtimes, and kubelets with one in them.
var defaultRuntimeUnits = [...]string{
	"containerd.service", "crio.service", "docker.service", "kubelet.service",
	"buildkit.service", "cri-docker.service",
	"k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service",
	"k0scontroller.service", "k0sworker.service",
	"snap.docker.dockerd.service", "snap.k8s.containerd.service", "snap.k8s.kubelet.service",
	"snap.microk8s.daemon-containerd.service", "snap.microk8s.daemon-kubelite.service",
}

// RuntimeUnits are units of the system manager below which containers are believed
// to be containers. It is read only.
type RuntimeUnits struct{ names map[string]bool }

// NewRuntimeUnits returns the units that landlockd knows, and more.
func NewRuntimeUnits(more ...string) (RuntimeUnits, error) {
	u := RuntimeUnits{map[string]bool{}}
	for _, name := range defaultRuntimeUnits {
		u.names[name] = true
	}
	for _, name := range more {
		if _, ofUsers := managerOf(name); !isUnit(name) || ofUsers {
			return u, fmt.Errorf("%.300q: want the name of a unit that runs containers, "+
				"as k3s.service", name)
		}
		u.names[name] = true
	}
	return u, nil
}

func (u RuntimeUnits) has(name string) bool { return u.names[name] }
