// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
)

// What returns what is done, "open a file for reading, list a directory".
func (d *Permission) What() string {
	if d.summary != "" {
		return fmt.Sprintf("%s (%d rights)", d.summary, len(d.Rights))
	}
	words := make([]string, len(d.Rights))
	for i, r := range d.Rights {
		words[i] = rightWords(r)
	}
	return strings.Join(words, ", ")
}

// shortWords are those of rights whose meaning in the table is too long for a list. They
// are never changed.
var shortWords = map[string]string{
	"net.bind_tcp":         "bind TCP ports",
	"net.connect_tcp":      "connect to TCP ports",
	"net.bind_udp":         "bind UDP ports",
	"net.connect_send_udp": "connect or send to UDP ports",
	abstractUnix:           "connect to abstract Unix sockets outside",
	resolveUnix:            "connect to Unix sockets outside that have a path",
	"scope.signal":         "signal processes outside",
}

func rightWords(r access.Right) string { return cmp.Or(shortWords[r.Name], r.Meaning, r.Name) }

// WhereText returns where it may be done, in words; the files follow behind "only
// below".
func (d *Permission) WhereText() string {
	text, ways := d.where(), d.waysText()
	switch {
	case ways == "":
		return text
	case d.plain():
		return text + ", " + ways
	default:
		return text + "; " + ways
	}
}

func (d *Permission) where() string {
	class := d.Rights[0].Class
	switch d.Effect {
	case domainid.Everywhere:
		return d.everywhere()
	case domainid.Nowhere:
		return d.byClass("nowhere", "none", "no")
	case domainid.Limited:
		text := "only below these"
		switch {
		case class == access.Net && len(d.Ports) == 0:
			text = "only some, which are not known"
		case class == access.Net:
			text = "only " + portWords(d.Ports)
			if d.MorePorts {
				text += ", and perhaps others that are not known"
			}
		case !d.lists():
			text = "only below some, which are not known"
		case len(d.Limits) > 1:
			text = fmt.Sprintf("only below what each of %s grants", plural.Count(len(d.Limits), "layer"))
		}
		if d.Doubt != 0 {
			text += ", or less (" + strings.Join(d.Doubt.Sentences(), "; ") + ")"
		}
		return text
	default:
		return "not known: " + strings.Join(d.Doubt.Sentences(), "; ")
	}
}

// lists reports whether there is a file to list.
func (d *Permission) lists() bool {
	return slices.ContainsFunc(d.Limits, func(l domainid.Limit) bool { return len(l.Files) > 0 })
}

// plain reports whether the text of where it may be done has no doubt and no
// bracket, so that an exception can follow.
func (d *Permission) plain() bool {
	return d.Doubt == 0 && !d.MorePorts && !d.moreFiles() && !slices.Contains(d.Ports, 0)
}

// moreFiles reports whether not all files are known that it is limited to.
func (d *Permission) moreFiles() bool {
	return slices.ContainsFunc(d.Limits, func(l domainid.Limit) bool { return l.More })
}

// waysText names the ways by which it may be done all the same, empty if none.
func (d *Permission) waysText() string {
	by, perhaps := access.WaysText(d.ButBy.All()), access.WaysText(d.PerhapsBy.All())
	switch {
	case by == "" && perhaps == "":
		return ""
	case d.plain() && perhaps == "":
		return "but by " + by + " (this kernel)"
	case d.plain() && by == "":
		return "but perhaps by " + perhaps + " (this kernel)"
	case d.plain():
		return "but by " + by + ", and perhaps by " + perhaps + " (this kernel)"
	case perhaps == "":
		return "on this kernel " + by + " can get past that"
	case by == "":
		return "on this kernel " + perhaps + " may get past that, which is not known"
	default:
		return "on this kernel " + by + " can get past that, and perhaps " + perhaps
	}
}

// byClass returns the word that fits: for what is done to files, on ports, or at all.
func (d *Permission) byClass(files, ports, other string) string {
	switch class := d.Rights[0].Class; {
	case class == access.Scope || apart(d):
		return other
	case class == access.Net:
		return ports
	default:
		return files
	}
}

func (d *Permission) everywhere() string {
	if d.ButZero {
		return "all but 0 (one that the kernel picks): its rules grant that"
	}
	where := d.byClass("everywhere", "all", "yes")
	switch d.Reason {
	case domainid.KernelCannot:
		var since []string
		for _, r := range d.Rights {
			if v := access.Release(r.ABI); v != "" && !slices.Contains(since, v) {
				since = append(since, v)
			}
		}
		return fmt.Sprintf("%s (this kernel cannot restrict it; Linux %s can)",
			where, strings.Join(since, ", "))
	case domainid.NotHandled:
		return where + " (this sandbox does not restrict it)"
	default:
		return where + " (its rules grant that)"
	}
}

// portWords writes ports, "53, 443 and 8000 to 8009"; 0 is bound for any port
// that the kernel picks.
func portWords(ports []uint16) string {
	var words []string
	for i := 0; i < len(ports); i++ {
		j := i
		for j+1 < len(ports) && ports[j+1] == ports[j]+1 {
			j++
		}
		switch {
		case j-i > 1:
			words = append(words, fmt.Sprintf("%d to %d", ports[i], ports[j]))
			i = j
		case ports[i] == 0:
			words = append(words, "0 (one that the kernel picks)")
		default:
			words = append(words, strconv.Itoa(int(ports[i])))
		}
	}
	last := len(words) - 1
	if last < 1 || last >= maxPorts {
		return plural.First(words, maxPorts)
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// maxPorts is how many ports, or ranges of them, text has of one permission.
const maxPorts = 24
