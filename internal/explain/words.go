// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/access"
)

// What returns what is done, "open a file for reading, list a directory".
func (d *Deed) What() string {
	words := make([]string, len(d.Rights))
	for i, r := range d.Rights {
		words[i] = deedWords(r)
	}
	return strings.Join(words, ", ")
}

func deedWords(r access.Right) string {
	switch r.Name {
	case "net.bind_tcp":
		return "bind TCP ports"
	case "net.connect_tcp":
		return "connect to TCP ports"
	case "net.bind_udp":
		return "bind UDP ports"
	case "net.connect_send_udp":
		return "connect or send to UDP ports"
	case abstractUnix:
		return "connect to abstract Unix sockets outside"
	case resolveUnix:
		return "connect to Unix sockets outside that have a path"
	case "scope.signal":
		return "signal processes outside"
	}
	if r.Meaning == "" {
		return r.Name
	}
	return r.Meaning
}

// Where returns where it may be done, in words; the files follow behind "only
// below".
func (d *Deed) Where() string {
	switch d.May {
	case Everywhere:
		return d.everywhere()
	case Nowhere:
		switch {
		case d.Rights[0].Class == access.Scope || apart(d):
			return "no"
		case d.Rights[0].Class == access.Net:
			return "none"
		default:
			return "nowhere"
		}
	case Limited:
		switch {
		case d.Rights[0].Class != access.Net && len(d.Limits) == 1 && len(d.Limits[0].Files) == 0:
			return "only below some, which are not known"
		case d.Rights[0].Class != access.Net:
			return "only below these"
		case len(d.Ports) == 0:
			return "only some, which are not known"
		case d.More:
			return "only " + portWords(d.Ports) + ", and some that are not known"
		default:
			return "only " + portWords(d.Ports)
		}
	default:
		if d.Why == RulesUnread {
			return "not known: a layer handles it, but its rules could not be read"
		}
		return "not known: not all layers are"
	}
}

func (d *Deed) everywhere() string {
	where := "everywhere"
	switch {
	case d.Rights[0].Class == access.Net:
		where = "all"
	case d.Rights[0].Class == access.Scope || apart(d):
		where = "yes"
	}
	switch d.Why {
	case KernelCannot:
		var since []string
		for _, r := range d.Rights {
			if v := access.Release(r.ABI); v != "" && !slices.Contains(since, v) {
				since = append(since, v)
			}
		}
		return fmt.Sprintf("%s (this kernel cannot restrict it; Linux %s can)", where, strings.Join(since, ", "))
	case SandboxDoesNot:
		return where + " (this sandbox does not restrict it)"
	default:
		return where + " (its rules grant that)"
	}
}

// portWords writes ports, "53, 443 and 8000 to 8009"; 0 is bound for any port
// that the kernel picks.
func portWords(ports []uint16) string {
	var words []string
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1] == ports[j]+1 {
			j++
		}
		switch {
		case j-i > 1:
			words = append(words, fmt.Sprintf("%d to %d", ports[i], ports[j]))
			i = j + 1
			continue
		case ports[i] == 0:
			words = append(words, "0 (one that the kernel picks)")
		default:
			words = append(words, strconv.Itoa(int(ports[i])))
		}
		i++
	}
	if n := len(words); n > maxPorts {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:maxPorts], ", "), n-maxPorts)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// maxPorts is how many ports, or ranges of them, text has of one deed.
const maxPorts = 24
