// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"strings"

	"github.com/landlockd/landlockd/internal/lazyregexp"
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
	"kata_overhead":  "kata",
}

// podUID is the UID of a Kubernetes pod, at the end of a component without
// suffix; of a static pod it is a hash.
var podUID = lazyregexp.New(
	`(?:^|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})$`)

// findPod returns the UID of the pod that a component of a path belongs to, as
// Kubernetes writes it; empty if to none.
func findPod(component string) string {
	m := podUID().FindStringSubmatch(strings.TrimSuffix(component, ".slice"))
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "_", "-")
}

// findContainer returns the container with an ID whose cgroup a component of a path
// names, with the component before it; nil if it is none.
func findContainer(component, before string) *scan.Container {
	if isMonitor(component) {
		return nil
	}
	pod, name := "", component
	// runc's form SLICE:PREFIX:ID, where the driver that it is meant for is not used.
	if parts := strings.Split(component, ":"); len(parts) == 3 {
		pod, name = findPod(parts[0]), parts[1]+"-"+parts[2]
	}
	name = strings.TrimSuffix(name, ".scope")
	if prefix, id, ok := cutID(name); ok {
		return &scan.Container{ID: id, Runtime: runtimes[cmp.Or(prefix, before)], PodUID: pod}
	}
	if id, ok := strings.CutPrefix(name, "kata_"); ok && isID(id) {
		return &scan.Container{ID: id, Runtime: "kata", PodUID: pod}
	}
	id, scoped := strings.CutPrefix(name, "docker-")
	if before == "buildkit" || scoped && name != component && isBuildID(id) {
		return &scan.Container{ID: id, Runtime: "buildkit", PodUID: pod}
	}
	return nil
}

// isMonitor reports whether a component is of the process that watches a container.
func isMonitor(component string) bool {
	prefix, _, ok := cutID(strings.TrimSuffix(component, ".scope"))
	return ok && (prefix == "conmon" || strings.HasSuffix(prefix, "-conmon"))
}

// cutID cuts a container's ID off the end of a name: "PREFIX-ID" or "ID".
func cutID(name string) (prefix, id string, ok bool) {
	at := len(name) - idLength
	if at < 0 || at == 1 || at > 1 && name[at-1] != '-' {
		return "", "", false
	}
	if id = name[at:]; !isID(id) {
		return "", "", false
	}
	return name[:max(at-1, 0)], id, true
}

// isID reports whether text is a whole ID of a container.
func isID(s string) bool { return len(s) == idLength && isHex(s) }

func isHex(s string) bool { return s != "" && consistsOf(s, decimal+"abcdef") }

// isBuildID reports whether text is the ID of a step of a build: 25 digits of base 36.
func isBuildID(s string) bool { return len(s) == 25 && consistsOf(s, decimal+lower) }

var wholeUUID = lazyregexp.New(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
