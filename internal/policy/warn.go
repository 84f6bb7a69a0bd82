// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// warnPattern warns of a pattern that is valid but matches nothing, or hardly what
// was meant.
func (d *decoder) warnPattern(n *yaml.Node, k Key, p *Pattern) {
	r, unseen := invisible(k, strings.TrimPrefix(p.text, "re:"))
	of := namingFor(k, p)
	switch {
	case unseen:
		d.warn(n, "%s: it has the character %U where nobody sees it: "+
			"what looks like this has another name", quote(p.text), r)
	case !p.canBe(&of.texts):
		why := of.why
		if of == &namings[KeyUnit] && strings.Contains(p.text, "/") {
			why = "units of users' managers match patterns that begin with user@ only"
		}
		d.warn(n, "%s matches nothing: %s", quote(p.text), why)
	case (k == KeyExe || k == KeyAncestorExe) && p.launcher() != "":
		d.warn(n, "%s: %s is replaced by what it launches, which has a path of its own",
			quote(p.text), p.launcher())
	}
}

// invisible returns the first character of a text that leaves no ink, or does so at an
// end of it. Command lines can end in a blank.
func invisible(k Key, text string) (rune, bool) {
	for _, r := range text {
		if ' ' <= r && r <= '~' {
			continue
		}
		if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Z, unicode.Variation_Selector,
			unicode.Other_Default_Ignorable_Code_Point) || r == brailleBlank {
			return r, true
		}
	}
	return ' ', k != KeyCmdline && strings.Trim(text, " ") != text
}

const brailleBlank = '\u2800'

// warnMatch warns of a match that rests on what a process can choose, or that never
// holds.
func (d *decoder) warnMatch(seen map[string]*yaml.Node, m *Match) {
	for _, key := range [...]string{"comm", "cmdline"} {
		if at := seen[key]; at != nil {
			d.warn(at, "a process chooses its own %s: "+
				"it can make this true or false of itself at any time", key)
		}
	}
	if at := seen["mntns"]; at != nil {
		d.warn(at, "with mntns: any, every user can make a process with this exe, "+
			"ancestor_exe or comm")
	}
	anywhere := func(p Pattern) bool { return p.prefix == "" || p.prefix == "/" }
	if at := seen["cgroup"]; at != nil && slices.ContainsFunc(m.Patterns[KeyCgroup], anywhere) {
		d.warn(at, "users can name cgroups that are delegated to them: "+
			"let the path begin with where it is")
	}
	if at := seen["unit"]; at != nil && m.inContainer() {
		d.warn(at, "this matches nothing: a process in a container is in no unit")
	}
}
