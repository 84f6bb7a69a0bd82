// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// texts are all texts that something can be. They are never changed.
type texts struct {
	re   func() *regexp.Regexp
	prog func() *syntax.Prog
}

// textsOf returns the texts that the whole of an expression matches, which is one
// of this program's own.
func textsOf(expr string) texts {
	return texts{
		lazyregexp.New(`\A(?:` + expr + `)\z`),
		sync.OnceValue(func() *syntax.Prog { return compile(expr) }),
	}
}

// compile returns the program of an expression for the whole of a text; nil if it is none.
func compile(expr string) *syntax.Prog {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, _ := syntax.Compile(re.Simplify()) // nil with an error
	return prog
}

// canBe reports whether a pattern matches one of some texts. It is true also where
// that takes too long to find out.
func (p *Pattern) canBe(t *texts) bool {
	var expr string
	switch {
	case p.re != nil:
		expr = p.re.String()
	case p.glob:
		// Most globs match what they are for with a letter in each gap.
		if text := inGaps.Replace(p.text); p.Match(text) && t.re().MatchString(text) {
			return true
		}
		expr = globExpr(p.text)
	default:
		return t.re().MatchString(p.text)
	}
	prog := compile(expr)
	return prog == nil || common(prog, t.prog())
}

// inGaps puts a letter where a glob leaves open what is there. It is never written.
var inGaps = strings.NewReplacer("**", "a", "*", "a", "?", "a")

// globExpr returns the regular expression of a glob without faults. A set may match
// a slash there.
func globExpr(glob string) string {
	var b strings.Builder
	for len(glob) > 0 {
		_, n := utf8.DecodeRuneInString(glob)
		switch {
		case strings.HasPrefix(glob, "**"):
			n = 2
			b.WriteString(`(?s:.*)`)
		case glob[0] == '*':
			b.WriteString(`[^/]*`)
		case glob[0] == '?':
			b.WriteString(`[^/]`)
		case glob[0] == '[':
			set, rest, _ := cutSet(glob)
			n = len(glob) - len(rest)
			b.WriteByte('[')
			if glob[1] == '!' || glob[1] == '^' {
				b.WriteString(`^/`)
			}
			for len(set) > 0 {
				var lo, hi rune
				lo, hi, set = nextRange(set)
				fmt.Fprintf(&b, `\x{%x}-\x{%x}`, lo, hi)
			}
			b.WriteByte(']')
		default:
			b.WriteString(regexp.QuoteMeta(glob[:n]))
		}
		glob = glob[n:]
	}
	return b.String()
}

// maxSteps bounds how often a character is tried to find a common text, and how many
// pairs of instructions are.
const maxSteps = 1 << 16

// common reports whether some text matches two programs. What an expression asks of
// the place in a text (^, \b) is taken to hold, so that it may be true where there is
// none. It is true also where that takes more than maxSteps.
func common(a, b *syntax.Prog) bool {
	type pair struct{ a, b uint32 }
	start := pair{uint32(a.Start), uint32(b.Start)}
	seen := map[pair]bool{start: true}
	todo := []pair{start}
	visit := func(x, y uint32) {
		if p := (pair{x, y}); !seen[p] {
			seen[p] = true
			todo = append(todo, p)
		}
	}
	left := maxSteps
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x, y := &a.Inst[at.a], &b.Inst[at.b]
		switch {
		case isFree(x):
			visit(x.Out, at.b)
			if isFork(x) {
				visit(x.Arg, at.b)
			}
		case isFree(y):
			visit(at.a, y.Out)
			if isFork(y) {
				visit(at.a, y.Arg)
			}
		case x.Op == syntax.InstMatch && y.Op == syntax.InstMatch:
			return true
		case shareRune(x, y, &left):
			visit(x.Out, y.Out)
		}
		if left--; left < 0 {
			return true
		}
	}
	return false
}

// isFree reports whether an instruction takes no character.
func isFree(x *syntax.Inst) bool {
	return isFork(x) || x.Op == syntax.InstCapture || x.Op == syntax.InstEmptyWidth ||
		x.Op == syntax.InstNop
}

func isFork(x *syntax.Inst) bool { return x.Op == syntax.InstAlt || x.Op == syntax.InstAltMatch }

// shareRune reports whether two instructions take a common character. If so, one of
// them begins a range with such a one. It takes from left what it tries.
func shareRune(x, y *syntax.Inst, left *int) bool {
	for _, inst := range [...]*syntax.Inst{x, y} {
		var some [16]rune
		for _, r := range firstRunes(some[:0], inst) {
			*left--
			if x.MatchRune(r) && y.MatchRune(r) {
				return true
			}
		}
	}
	return false
}

// firstRunes appends the characters that the ranges of an instruction begin with. One
// that takes no character has none.
func firstRunes(all []rune, x *syntax.Inst) []rune {
	for i := 0; i < len(x.Rune); i += 2 {
		all = append(all, x.Rune[i])
	}
	if len(x.Rune) == 1 { // it stands for upper and lower case, too, if so flagged
		for r := unicode.SimpleFold(x.Rune[0]); r != x.Rune[0]; r = unicode.SimpleFold(r) {
			all = append(all, r)
		}
	}
	return all
}
