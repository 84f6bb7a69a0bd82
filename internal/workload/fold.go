// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// foldedRun is the name of all units that systemd-run(1) made names for.
const foldedRun = "run"

// uuid is a UUID in any of the forms in which names of units have it.
const uuid = `[0-9a-f]{8}(?:(?:[-_]|\\x2d)[0-9a-f]{4}){3}(?:[-_]|\\x2d)[0-9a-f]{12}`

var (
	// anID is an identifier somewhere in a unit's name.
	anID = lazyregexp.New(uuid + `|[0-9a-f]{12,}`)
	// randomTail is what those who make scopes append to tell them apart: a UUID, a
	// number, also a hexadecimal one, or an ID of base 36.
	randomTail = lazyregexp.New(`(?:[-_.]|\\x2d)(?:` + uuid +
		`|[0-9a-f]{6,}|[0-9a-f]*[0-9][0-9a-f]*|[0-9a-z]{25})$`)
	// part is a part of a name between what separates parts, or a separator.
	// A version, such as 8.2 in php8.2-fpm, is one.
	part = lazyregexp.New(`\\x2d|[^-_.\\]*[0-9](?:\.[0-9]+)+[^-_.\\]*|[^-_.\\]+|[-_.\\]`)
	// numberPart is a part that numbers things of the same kind.
	numberPart = lazyregexp.New(`^(?:[0-9]+|[0-9a-f]{6,})$`)
	// stars are several in a row.
	stars = lazyregexp.New(`\*(?:(?:[-_.]|\\x2d)\*)+`)
	// transient are the names that systemd-run(1) makes up.
	transient = lazyregexp.New(`^run-(?:u?[0-9]+|r[0-9a-f]+|p[0-9]+-i[0-9]+)$`)
	// busName is the connection that asked a message bus to start a service.
	busName = lazyregexp.New(`^dbus-:[0-9]+\.[0-9]+-`)
)

// fold returns the name that all units like one share: without the instance of a
// template and without what is made up for each start. A scope that has nothing
// else is called after its slice.
func fold(unit, slice string) string {
	dot := strings.LastIndexByte(unit, '.')
	if dot < 0 {
		return unit
	}
	name, suffix := unit[:dot], unit[dot:]
	name = busName().ReplaceAllLiteralString(name, "dbus-")
	if template, _, ok := strings.Cut(name, "@"); ok {
		return withoutNumbers(template) + "@" + suffix
	}
	if transient().MatchString(name) || suffix == ".scope" && strings.HasPrefix(name, "run-") {
		return foldedRun
	}
	if suffix == ".scope" {
		name = foldScope(name)
	}
	name = withoutNumbers(name)
	if of := strings.TrimSuffix(slice, ".slice"); name == "*" && suffix == ".scope" && of != "" {
		name = stars().ReplaceAllLiteralString(withoutNumbers(of)+"-*", "*")
	}
	return name + suffix
}

// foldScope folds the name of a scope. All scopes are transient: only the end of
// their names differs between those of the same kind.
func foldScope(name string) string {
	switch {
	case strings.HasPrefix(name, "session-"):
		return "session"
	case strings.HasPrefix(name, `machine-qemu\x2d`):
		return "machine-qemu"
	case strings.HasPrefix(name, "machine-"):
		return "machine"
	case strings.HasSuffix(name, "_slurmstepd"):
		return "slurmstepd" // in front is the node's name
	case strings.HasPrefix(name, "app-") && strings.Count(name, "-") > 1:
		// app[-LAUNCHER]-APPLICATION-RANDOM: a "-" within a part is written \x2d.
		name = name[:strings.LastIndexByte(name, '-')]
	}
	for {
		tail := randomTail().FindStringIndex(name)
		if tail == nil || tail[0] == 0 {
			return name
		}
		name = name[:tail[0]]
	}
}

// withoutNumbers puts "*" for IDs, and for every part of a unit's name that is a
// number: build-7.service is followed by build-8.service.
func withoutNumbers(name string) string {
	name = withoutIDs(name)
	several := false
	folded := part().ReplaceAllStringFunc(name, func(p string) string {
		several = several || len(p) < len(name)
		if numberPart().MatchString(p) && (several || strings.ContainsAny(p, "0123456789")) {
			return "*"
		}
		return p
	})
	return stars().ReplaceAllLiteralString(folded, "*")
}

// withoutIDs puts "*" for UUIDs and for long hexadecimal numbers, in the name of a
// unit or of an executable.
func withoutIDs(name string) string {
	return anID().ReplaceAllStringFunc(name, func(id string) string {
		if !strings.ContainsAny(id, "0123456789") {
			return id
		}
		return "*"
	})
}
