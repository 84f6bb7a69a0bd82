// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// rails draw where domains begin and end, one line after the other.
type rails struct {
	domains []domainid.Domain
	glyphs  railGlyphs
	// text is what the last line has, and under what stands below it, in front of the next.
	text, under string
	// They are kept for their memory.
	prev, cur, next []int32
}

type railGlyphs struct{ begin, end, both, inside string }

func newRails(s *scan.Snapshot, ascii bool) *rails {
	r := &rails{domains: s.Domains, glyphs: railGlyphs{"┌", "└", "─", "│"}}
	if ascii {
		r.glyphs = railGlyphs{".", "`", "-", "|"}
	}
	return r
}

// chain returns a domain and all that it is nested in, the outermost first; none for
// domainid.Outermost. It uses the memory of into.
func (r *rails) chain(into []int32, domain int32) []int32 {
	into = into[:0]
	for d := range domainid.Chain(r.domains, domain) {
		into = append(into, d)
	}
	slices.Reverse(into)
	return into
}

// step draws the line of a process, by its domain and those of the lines around it.
func (r *rails) step(prev, cur, next int32) {
	r.prev, r.cur, r.next = r.chain(r.prev, prev), r.chain(r.cur, cur), r.chain(r.next, next)
	var text, under strings.Builder
	for level, d := range r.cur {
		begins, ends := !at(r.prev, level, d), !at(r.next, level, d)
		below := r.glyphs.inside
		if ends {
			below = " "
		}
		under.WriteString(below)
		switch {
		case begins && ends:
			text.WriteString(r.glyphs.both)
		case begins:
			text.WriteString(r.glyphs.begin)
		case ends:
			text.WriteString(r.glyphs.end)
		default:
			text.WriteString(r.glyphs.inside)
		}
	}
	r.text, r.under = text.String(), under.String()
}

// at reports whether a chain has a domain at a level.
func at(chain []int32, level int, d int32) bool { return level < len(chain) && chain[level] == d }
