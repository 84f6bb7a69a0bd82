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

// namings are by key. Text that is empty stands for what is
// not known of a container, or not there. It is never written.
var namings = [numPatterns]naming{
	KeyUnit: {textsOf(unitName),
		noUnit + "it " + unitEnds + ", and that of a template (NAME@.service) is of none"},
	KeySlice: {textsOf(`(?:` + unitChar + `+\.slice)?`),
		"no slice has such a name: it ends in .slice"},
	KeyContainer: {textsOf(`(?:` + dnsLabel + `)?`),
		"no container has such a name: " + kubeNames + ", and no others have names here"},
	KeyNamespace: {textsOf(`(?:` + dnsLabel + `)?`),
		"no namespace has such a name: " + kubeNames},
	KeyPod: {textsOf(`(?:` + dnsLabel + `(?:\.` + dnsLabel + `)*)?`),
		"no pod has such a name: " + kubeNames + ", and . between such parts"},
	KeyCgroup: {textsOf(`/|(?:/[^/]+)+`),
		"no cgroup has such a path: it begins with / and ends in a name"},
	KeyExe:         executables,
	KeyAncestorExe: executables,
	KeyComm: {textsOf(`(?s:.{0,15})`),
		"no process has such a name: the kernel cuts it after 15 bytes"},
	KeyCmdline: {textsOf(`(?s:.*)`), ""},
}

// executables are the paths of executables. A file that is in memory only has whatever
// name was given to it. It is never written.
var executables = naming{
	textsOf(`(?s:(?:/(?:[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))+|/memfd:.*)`),
	"no executable has such a path: it begins with /, ends in a name, and has no //, . " +
		"and .. between",
}

// usersUnits are those of users' managers. It is never written.
var usersUnits = naming{textsOf(`user@[0-9]+/` + unitName + `|` + unitName),
	noUnit + "one of a user's manager is user@UID/NAME, and NAME " + unitEnds}

// namingFor returns the texts that a pattern of a key is for.
func namingFor(k Key, p *Pattern) *naming {
	// Units of users match no other pattern: see unitLevel.
	if k == KeyUnit && strings.HasPrefix(p.prefix, "user@") {
		return &usersUnits
	}
	return &namings[k]
}
