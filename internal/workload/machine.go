// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"strings"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// findMachine returns the name of a container that has a name of its own and no ID,
// of a component that has only slices above; empty if it is none. LXC, Incus
// and LXD have lxc.payload.NAME, libvirt has a scope.
func findMachine(component string) (runtime, name string) {
	if rest, ok := strings.CutPrefix(component, "lxc.payload"); ok && len(rest) > 1 &&
		(rest[0] == '.' || rest[0] == '-') {
		return "lxc", rest[1:]
	}
	rest, ok := strings.CutPrefix(component, `machine-lxc\x2d`)
	// A "-" in a name is written \x2d, because it separates names.
	if rest, scope := strings.CutSuffix(rest, ".scope"); ok && scope && rest != "" {
		return "libvirt-lxc", withoutNumber(strings.ReplaceAll(rest, `\x2d`, "-"))
	}
	return findOldMachine(component, "")
}

// findOldMachine is the same for older versions, and for hosts on which systemd names
// nothing: of a component with the one before it, if that is the first.
func findOldMachine(component, first string) (runtime, name string) {
	if first == "lxc" || first == "lxc.payload" {
		return "lxc", component
	}
	if rest, ok := strings.CutSuffix(component, ".libvirt-lxc"); ok && rest != "" {
		return "libvirt-lxc", withoutNumber(strings.TrimPrefix(rest, "lxc-"))
	}
	return "", ""
}

// startNumber is the number of the start that libvirt puts in front of a name.
var startNumber = lazyregexp.New(`^[0-9]+-`)

func withoutNumber(name string) string {
	return cmp.Or(startNumber().ReplaceAllLiteralString(name, ""), name)
}
