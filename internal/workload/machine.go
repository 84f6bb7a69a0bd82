// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"regexp"
	"strings"
)

// findMachine returns the name of a container that has a name of its own and no ID,
// of a component that is below nothing but slices; empty if it is none. LXC, Incus
// and LXD have lxc.payload.NAME, libvirt has a scope.
func findMachine(component string) (runtime, name string) {
	if rest, ok := strings.CutPrefix(component, "lxc.payload"); ok && len(rest) > 1 &&
		(rest[0] == '.' || rest[0] == '-') {
		return "lxc", rest[1:]
	}
	rest, ok := strings.CutPrefix(component, `machine-lxc\x2d`)
	if rest, scope := strings.CutSuffix(rest, ".scope"); ok && scope && rest != "" {
		return "libvirt-lxc", withoutNumber(unescapeUnit(rest))
	}
	return "", ""
}

// findOldMachine is the same for hosts on which systemd names nothing, and for older
// versions: of the component below the first one.
func findOldMachine(component, first string) (runtime, name string) {
	switch first {
	case "lxc", "lxc.payload":
		return "lxc", component
	case "machine":
		rest, ok := strings.CutPrefix(component, "lxc-")
		if rest, lxc := strings.CutSuffix(rest, ".libvirt-lxc"); ok && lxc && rest != "" {
			return "libvirt-lxc", withoutNumber(rest)
		}
	}
	return "", ""
}

// startNumber is the number of the start that libvirt puts in front of a name.
var startNumber = regexp.MustCompile(`^[0-9]+-`)

func withoutNumber(name string) string {
	if rest := startNumber.ReplaceAllLiteralString(name, ""); rest != "" {
		return rest
	}
	return name
}

// unescapeUnit undoes the commonest escape in names of units: a "-" in a name is
// written \x2d, because it separates names.
func unescapeUnit(s string) string { return strings.ReplaceAll(s, `\x2d`, "-") }
