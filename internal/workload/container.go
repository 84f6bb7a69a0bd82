// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"regexp"
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// idLength is the length of the IDs of containers: 256 bits as lower-case hex.
const idLength = 64

// runtimes names those that put a word of their own in front of a container's ID.
var runtimes = map[string]string{
	"docker":         "docker",
	"cri-containerd": "containerd",
	"containerd":     "containerd",
	"nerdctl":        "containerd",
	"crio":           "cri-o",
	"libpod":         "podman",
	"libpod-payload": "podman",
}

// podUID is the UID of a Kubernetes pod, at the end of a component without
// suffix; of a static pod it is a hash.
var podUID = regexp.MustCompile(`(?:^|-)pod([0-9a-f]{8}([-_])[0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})$`)

// findPod returns the UID of the pod that a component of a path belongs to, as
// Kubernetes writes it; empty if to none.
func findPod(component string) string {
	m := podUID.FindStringSubmatch(strings.TrimSuffix(component, ".slice"))
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "_", "-")
}

// findContainer returns the container whose cgroup a component of a path names,
// with the component before it and the unit that it is in; nil if it is none.
func findContainer(component, before, unit string) *scan.Container {
	c := &scan.Container{}
	name := component
	// runc's form SLICE:PREFIX:ID, where the driver that it is meant for is not used.
	if parts := strings.Split(component, ":"); len(parts) == 3 {
		c.PodUID = findPod(parts[0])
		name = parts[1] + "-" + parts[2]
	}
	if prefix, id, ok := cutID(strings.TrimSuffix(name, ".scope")); ok {
		if prefix == "conmon" || strings.HasSuffix(prefix, "-conmon") {
			return nil // it watches the container
		}
		c.ID, c.Runtime = id, runtimes[prefix]
		if prefix == "" {
			c.Runtime = runtimes[before]
		}
		return c
	}
	if name := lxcName(component, before); name != "" {
		c.Runtime, c.Name = "lxc", name
		return c
	}
	if machine := machineName(component, unit); machine != "" {
		c.Runtime, c.Name = "nspawn", machine
		return c
	}
	if rest, ok := strings.CutPrefix(component, `machine-lxc\x2d`); ok && strings.HasSuffix(rest, ".scope") {
		c.Runtime, c.Name = "libvirt-lxc", unescapeUnit(strings.TrimSuffix(rest, ".scope"))
		return c
	}
	if before == "buildkit" {
		c.Runtime, c.ID = "buildkit", component
		return c
	}
	return nil
}

// cutID cuts a container's ID off the end of a name: "PREFIX-ID" or "ID".
func cutID(name string) (prefix, id string, ok bool) {
	at := len(name) - idLength
	if at < 0 || at == 1 || at > 1 && name[at-1] != '-' {
		return "", "", false
	}
	id = name[at:]
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", "", false
		}
	}
	return name[:max(at-1, 0)], id, true
}

// lxcName returns the name of a container of LXC, Incus or LXD: in
// lxc.payload.NAME, and in lxc/NAME of older ones.
func lxcName(component, before string) string {
	if before == "lxc" || before == "lxc.payload" {
		return component
	}
	if rest, ok := strings.CutPrefix(component, "lxc.payload"); ok && len(rest) > 1 && (rest[0] == '.' || rest[0] == '-') {
		return rest[1:]
	}
	return ""
}

// machineName returns the name of a container of systemd-nspawn: it runs in
// "payload" below the cgroup of a service or of a scope.
func machineName(component, unit string) string {
	if component != "payload" {
		return ""
	}
	for prefix, suffix := range map[string]string{"systemd-nspawn@": ".service", "machine-": ".scope"} {
		if rest, ok := strings.CutPrefix(unit, prefix); ok && strings.HasSuffix(rest, suffix) {
			return unescapeUnit(strings.TrimSuffix(rest, suffix))
		}
	}
	return ""
}

// unescapeUnit undoes the commonest escape in names of units: a "-" in a name is
// written \x2d, because it separates names.
func unescapeUnit(s string) string { return strings.ReplaceAll(s, `\x2d`, "-") }
