// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strings"
)

// maxDrawn is the deepest level that is indented. Deeper ones are numbered: a
// chain of 100 000 processes would else take 10 GB to draw.
const maxDrawn = 32

// outline is a set of trees as lines below each other: a parent before its
// children, and all below a node before its next sibling.
type outline struct {
	// up holds each line's parent line, -1 for a root.
	up []int32
	// level is 0 for a root; last marks the last child of its parent.
	level    []int32
	last     []bool
	hasChild []bool
}

// add appends a line and returns its number.
func (o *outline) add(up int32) int32 {
	level := int32(0)
	if up >= 0 {
		level = o.level[up] + 1
	}
	o.up = append(o.up, up)
	o.level = append(o.level, level)
	return int32(len(o.up) - 1)
}

// close finds last and hasChild, once all lines are added.
func (o *outline) close() {
	o.last = make([]bool, len(o.up))
	o.hasChild = make([]bool, len(o.up))
	for i := len(o.up) - 1; i >= 0; i-- {
		if up := o.up[i]; up >= 0 {
			o.last[i] = !o.hasChild[up]
			o.hasChild[up] = true
		}
	}
}

// glyphs are what branches are drawn with.
type glyphs struct{ tee, corner, bar, gap, bullet string }

func branches(ascii bool) glyphs {
	if ascii {
		return glyphs{tee: "|-", corner: "`-", bar: "| ", gap: "  ", bullet: "- "}
	}
	return glyphs{tee: "├─", corner: "└─", bar: "│ ", gap: "  ", bullet: "· "}
}

// pen draws the branches in front of the lines of an outline. Lines must be
// drawn in order.
type pen struct {
	o *outline
	g glyphs
	// deepest is the deepest level that is indented, at most maxDrawn.
	deepest int
	// bars[l] is what stands below the branch of the current line's ancestor
	// (or of itself) at level l+1.
	bars []string
}

// line returns what stands in front of line i.
func (p *pen) line(i int32) string {
	level := int(p.o.level[i])
	if level == 0 {
		p.bars = p.bars[:0]
		return ""
	}
	branch, below := p.g.tee, p.g.bar
	if p.o.last[i] {
		branch, below = p.g.corner, p.g.gap
	}
	if level > p.deepest {
		return p.numbered(level) + branch
	}
	p.bars = append(p.bars[:level-1], below)
	return strings.Join(p.bars[:level-1], "") + branch
}

// under returns what stands in front of a further line of text of line i,
// which must be the one drawn last.
func (p *pen) under(i int32) string {
	trunk := p.g.gap
	if p.o.hasChild[i] {
		trunk = p.g.bar
	}
	if level := int(p.o.level[i]); level > p.deepest {
		return p.numbered(level) + p.g.gap + trunk
	}
	return strings.Join(p.bars, "") + trunk
}

func (p *pen) numbered(level int) string { return fmt.Sprintf("(level %d) ", level) }
