// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// extent is where the threads of a process may do what a right is about, taken together: where
// any of them may.
type extent struct {
	effect domainid.Effect
	// paths are those below which rules grant it. unnamed: they grant it on files of which no
	// path is known, or in several layers; more: and perhaps elsewhere, or on other ports.
	paths         unique[string]
	unnamed, more bool
	ports         []uint16
	// butZero: if everywhere, then not on port 0.
	butZero       bool
	by, perhapsBy access.Ways
}

// extentOf returns the extent of some rights of the table: where one of them is granted.
func (e *Explanation) extentOf(rights ...string) extent {
	x := extent{effect: domainid.Nowhere, butZero: true}
	isRight := func(r access.Right) bool { return slices.Contains(rights, r.Name) }
	for i := range e.Sandboxes {
		for k := range e.Sandboxes[i].Permissions {
			if d := &e.Sandboxes[i].Permissions[k]; slices.ContainsFunc(d.Rights, isRight) {
				x.add(e, d)
			}
		}
	}
	if e.Unknown > 0 && x.effect != domainid.Everywhere {
		x.effect = domainid.EffectUnknown
	}
	return x
}

// breadth orders effects. What is not known may be everything.
var breadth = [...]int{
	domainid.Nowhere: 0, domainid.Limited: 1, domainid.EffectUnknown: 2, domainid.Everywhere: 3,
}

func (x *extent) add(e *Explanation, d *Permission) {
	x.by, x.perhapsBy = x.by|d.ButBy, x.perhapsBy|d.PerhapsBy
	x.butZero = x.butZero && (d.ButZero || d.Effect != domainid.Everywhere)
	if breadth[d.Effect] > breadth[x.effect] {
		x.effect = d.Effect
	}
	if d.Effect != domainid.Limited {
		return
	}
	x.ports = append(x.ports, d.Ports...)
	x.more = x.more || d.MorePorts || d.moreFiles()
	together, known := e.Together(d)
	for _, path := range together {
		x.paths.add(path)
	}
	switch {
	case known && len(together) > 0:
	case len(d.Limits) == 1:
		for _, f := range d.Limits[0].Files {
			if path, found := e.Places[File{f.Dev, f.Ino}]; found {
				x.paths.add(path)
			} else {
				x.unnamed = true
			}
		}
	default:
		x.unnamed = len(d.Limits) > 0
	}
}

// maxSummaryPaths is how many paths the summary has of what may be done.
const maxSummaryPaths = 3

// files returns in words where something may be done with files.
func (x *extent) files(name func(string) string) string {
	var text string
	switch {
	case x.effect == domainid.Everywhere:
		return "everywhere"
	case x.effect == domainid.Nowhere:
		text = "nowhere"
	case len(x.paths.all) == 0:
		text = "in some places alone"
	default:
		paths := some(x.paths.all, maxSummaryPaths, name)
		certain := " alone"
		if x.unnamed || x.more {
			paths, certain = append(paths, "perhaps elsewhere"), ""
		}
		text = "below " + listed(paths, "and") + certain
	}
	return text + x.but()
}

// ofPorts returns in words which ports of a protocol, "%s", may be used.
func (x *extent) ofPorts() string {
	slices.Sort(x.ports)
	x.ports = slices.Compact(x.ports)
	switch {
	case x.effect == domainid.Everywhere && x.butZero:
		return "any %s port but 0"
	case x.effect == domainid.Everywhere:
		return "any %s port"
	case x.effect == domainid.Nowhere:
		return "no %s port" + x.but()
	case len(x.ports) == 0:
		return "some %s ports alone" + x.but()
	case x.more:
		return "%s ports " + portWords(x.ports) + " and perhaps others" + x.but()
	case len(x.ports) == 1:
		return "%s port " + portWords(x.ports) + " alone" + x.but()
	default:
		return "%s ports " + portWords(x.ports) + " alone" + x.but()
	}
}

// but names the ways by which it may be done beside that.
func (x *extent) but() string {
	by, perhaps := access.WaysText(x.by.All()), access.WaysText(x.perhapsBy.All())
	switch {
	case by != "":
		return " but by " + by
	case perhaps != "":
		return " but perhaps by " + perhaps
	default:
		return ""
	}
}

// listed joins words, "a, b and c".
func listed(words []string, and string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}
