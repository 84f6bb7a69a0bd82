// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// naming is the texts that a key's patterns are for, and why there are no others.
type naming struct {
	texts
	why string
}

// Characters of units' names, as systemd allows them, without and with an @.
const (
	unitChar   = `[a-zA-Z0-9:_.\\-]`
	unitCharAt = `[a-zA-Z0-9:_.\\@-]`
	unitStem   = unitChar + `(?:` + unitCharAt + `*` + unitChar + `)?`
	unitName   = unitStem + `\.(?:service|scope|socket|mount|swap)`
	dnsLabel   = `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`
)

const (
	noUnit    = "no unit that processes run in has such a name: "
	unitEnds  = "ends in .service, .scope, .socket, .mount or .swap"
	kubeNames = "Kubernetes allows a-z and 0-9, and - between them"
)

// What follows is never written. Text that is empty stands for what is not known of a
// container, or not there.
var (
	systemUnits = naming{textsOf(unitName),
		noUnit + "it " + unitEnds + ", and that of a template (NAME@.service) is of none"}
	usersUnits = naming{textsOf(`user@[0-9]+/` + unitName + `|` + unitName),
		noUnit + "one of a user's manager is user@UID/NAME, and NAME " + unitEnds}
	innerSlices = naming{textsOf(`(?:` + unitChar + `+\.slice)?`),
		"no slice has such a name: it ends in .slice"}
	containers = naming{textsOf(`(?:` + dnsLabel + `)?`),
		"no container has such a name: " + kubeNames + ", and no others have names here"}
	namespaces = naming{textsOf(`(?:` + dnsLabel + `)?`),
		"no namespace has such a name: " + kubeNames}
	pods = naming{textsOf(`(?:` + dnsLabel + `(?:\.` + dnsLabel + `)*)?`),
		"no pod has such a name: " + kubeNames + ", and . between such parts"}
	// A file that is in memory only has whatever name was given to it.
	exes = naming{textsOf(`(?s:(?:/(?:[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))+|/memfd:.*)`),
		"no executable has such a path: it begins with /, ends in a name, and has no //, . " +
			"and .. between"}
	comms = naming{textsOf(`(?s:.{0,15})`),
		"no process has such a name: the kernel cuts it after 15 bytes"}
	cgroups = naming{textsOf(`/|(?:/[^/]+)+`),
		"no cgroup has such a path: it begins with / and ends in a name"}
)

// namingFor returns the texts that a pattern of a key is for; nil if those are any.
func namingFor(k Key, p *Pattern) *naming {
	switch k {
	case KeyUnit:
		// Units of users match no other pattern: see unitLevel.
		if strings.HasPrefix(p.prefix, "user@") {
			return &usersUnits
		}
		return &systemUnits
	case KeySlice:
		return &innerSlices
	case KeyContainer:
		return &containers
	case KeyNamespace:
		return &namespaces
	case KeyPod:
		return &pods
	case KeyExe, KeyAncestorExe:
		return &exes
	case KeyComm:
		return &comms
	case KeyCgroup:
		return &cgroups
	default:
		return nil
	}
}
