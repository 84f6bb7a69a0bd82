// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// covers reports whether a match that lets processes out of a rule lets out each
// that another match surely means. It may be false where it does.
func (m *Match) covers(meant *Match) bool {
	if len(m.UID) > 0 { // of any task there, of all tasks here
		return false
	}
	if m.Main != nil && (meant.Main == nil || *meant.Main != *m.Main) {
		return false
	}
	if (m.has(KeyExe) || m.has(KeyAncestorExe) || m.has(KeyComm)) && !m.trustsAs(meant) {
		return false
	}
	for k, all := range m.Patterns {
		if len(all) > 0 && !include(all, meant.Patterns[k]) {
			return false
		}
	}
	return true
}

// trustsAs reports whether executables are meant by their paths wherever another match
// means them so.
func (m *Match) trustsAs(o *Match) bool {
	all := func(m *Match) bool { return m.AnyMountNS || m.inContainer() }
	return all(m) || !all(o) && (m.has(KeyUnit) || !o.has(KeyUnit))
}

// maxCompared bounds how many pairs of patterns are compared.
const maxCompared = 10_000

// include reports whether some patterns match all that others match, of which there
// is one at least. It may be false where they do.
func include(all, some []Pattern) bool {
	if len(some) == 0 || len(all)*len(some) > maxCompared {
		return false
	}
	for i := range some {
		if !slices.ContainsFunc(all, func(p Pattern) bool { return p.includes(&some[i]) }) {
			return false
		}
	}
	return true
}

func (p *Pattern) includes(o *Pattern) bool {
	if p.text == o.text {
		return true
	}
	text, alone := o.Literal()
	// Units of users are matched only by what begins as they do: see unitLevel.
	users := strings.HasPrefix(text, "user@") && !strings.HasPrefix(p.prefix, "user@")
	return alone && !users && p.Match(text)
}

// letOut returns warnings of rules that are about nothing, because all processes that
// they mean are exempt.
func (c *Config) letOut() []Problem {
	var all []Problem
	for i := range c.Rules {
		r := &c.Rules[i]
		if slices.ContainsFunc(c.Exempt, func(m Match) bool { return m.covers(&r.Match) }) {
			all = append(all, r.problem("the rule is about nothing: all that match means is exempt"))
		}
	}
	return all
}
