// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"
)

// maxUnitName is the length of the longest name of a unit (systemd.unit(5)).
const maxUnitName = 255

// unitSuffixes are those of units that processes run in. Slices have none of
// their own.
var unitSuffixes = [...]string{".service", ".scope", ".socket", ".mount", ".swap"}

// unescape returns the name that systemd made a cgroup's name from: it puts "_"
// in front of what could be taken for one of the kernel's files, as of
// cgroup.service or memory.mount.
func unescape(component string) string { return strings.TrimPrefix(component, "_") }

// isUnit reports whether a name is one that systemd gives to a unit with processes.
func isUnit(name string) bool {
	stem, ok := cutUnitSuffix(name)
	// A template has no processes, only its instances have.
	return ok && isUnitText(name) && stem[0] != '@' && stem[len(stem)-1] != '@'
}

// isSlice reports whether a name is that of a slice.
func isSlice(name string) bool {
	stem, ok := strings.CutSuffix(name, ".slice")
	return ok && stem != "" && isUnitText(name) && !strings.Contains(stem, "@")
}

// cutUnitSuffix returns what stands before the suffix; false if there is no
// suffix or nothing before it.
func cutUnitSuffix(name string) (stem string, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || !slices.Contains(unitSuffixes[:], name[dot:]) {
		return "", false
	}
	return name[:dot], true
}

// isUnitText reports whether a name has only characters that systemd allows in
// names of units.
func isUnitText(name string) bool {
	return len(name) <= maxUnitName && consistsOf(name, lower+upper+decimal+`:-_.\@`)
}

// managerOf returns the UID in the name of the service that a user's manager runs as.
func managerOf(unit string) (uid string, ok bool) {
	uid, ofUser := strings.CutPrefix(unit, "user@")
	uid, isService := strings.CutSuffix(uid, ".service")
	return uid, ofUser && isService && uid != "" && consistsOf(uid, decimal)
}

const (
	decimal = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// consistsOf reports whether every character of a text is one of those.
func consistsOf(text, characters string) bool { return strings.Trim(text, characters) == "" }
