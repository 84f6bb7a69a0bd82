// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// Known is a program of which it is known that it sandboxes itself, or what it starts
// (docs/known.md). It is no rule: it says what can be expected of the program.
type Known struct {
	// Name is unique, as a rule's; What says in a few words what the program is for.
	Name, What string
	When       When
	Who        Who
	// Since is the first version that does, and Until the first that no longer does, of those
	// that were looked at; empty if there is none, or it is not known.
	Since, Until string
	// ABI is the least that a kernel must have for all threads of Match to be sandboxed.
	ABI int
	// Match are the processes that are to be sandboxed; without any key where nothing
	// distinguishes them from others.
	Match Match
	// Expect is how they are then, as far as that is the same for every configuration.
	Expect Expect
	// Sometimes are names of further rights that only some versions or configurations restrict.
	Sometimes []string
	// Paths are where it is installed, absolute; Debs are names of Debian's packages with
	// it, and NPM is that of npm's.
	Paths, Debs []string
	NPM         string
	// On says what switches the sandbox on, Off what switches it off or keeps it off.
	On, Off string
	// Checked is when that was compared with what the program asked the kernel for; nil if
	// nobody did.
	Checked *Checked
	// Tests are those of test/programs that do so again. Untested says why there are none,
	// and what the entry rests on.
	Tests    []string
	Untested string
	// File, Line and Column are where it stands.
	File         string
	Line, Column int

	match, expect *yaml.Node
}

// Checked is what a program was looked at with.
type Checked struct {
	Version, Kernel string
	Date            time.Time
}

// When is when a program sandboxes.
type When uint8

const (
	// ByDefault: as it is installed.
	ByDefault When = iota
	// Optional: if it is switched on.
	Optional
	// Launcher: it sandboxes what it is asked to start, as it is asked to.
	Launcher
)

var whens = enum.Words[When]{"default", "optional", "launcher"}

func (w When) String() string { return whens.Of(w) }

// MarshalText encodes the word.
func (w When) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Who is what of a program is sandboxed.
type Who uint8

const (
	// WholeProcess: the process itself, with all of its threads.
	WholeProcess Who = iota
	// Child: processes that it starts, and not itself.
	Child
	// Thread: some of its threads, where the kernel has less than ABI.
	Thread
)

var whos = enum.Words[Who]{"process", "child", "thread"}

func (w Who) String() string { return whos.Of(w) }

// MarshalText encodes the word.
func (w Who) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Matches reports whether processes can be distinguished by Match.
func (k *Known) Matches() bool { return k.match != nil }

// maxKnown is how many there can be in all files.
const maxKnown = 1000

// LoadKnown reads the files of known programs that patterns name, as rule_files do. An error is
// a [*LoadError] with everything that is wrong in all of them.
func LoadKnown(patterns []string) ([]Known, error) {
	l := newLoader()
	nodes := make([]*yaml.Node, len(patterns))
	for i, pattern := range patterns {
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pattern}
	}
	d := &decoder{file: "known programs"}
	var all []Known
	for _, f := range l.find(d, nodes) {
		d.file = f.path
		if n := d.document(l.text(d, f.at, f.path)); n != nil {
			d.mapping(n, field{"programs", func(n *yaml.Node) {
				d.section(n, maxKnown-len(all), func(n *yaml.Node) { all = append(all, d.known(n)) })
			}})
		}
	}
	first := map[string]*Known{}
	for i := range all {
		k := &all[i]
		before := first[k.Name]
		if before == nil {
			first[k.Name] = k
		} else if k.Name != "" {
			d.problems = append(d.problems, k.problem("a second program "+quote(k.Name)+
				": the first is at "+before.problem("").String()))
		}
	}
	if len(d.problems) > 0 {
		return nil, &LoadError{d.problems}
	}
	return all, nil
}

func (k *Known) problem(text string) Problem {
	return Problem{File: k.File, Line: k.Line, Column: k.Column, Message: text}
}

// known reads one program.
func (d *decoder) known(n *yaml.Node) Known {
	k := Known{File: d.file, Line: n.Line, Column: n.Column, ABI: 1}
	line := func(at *string) func(*yaml.Node) {
		return func(n *yaml.Node) { *at = d.line(n) }
	}
	version := func(at *string) func(*yaml.Node) {
		return func(n *yaml.Node) { *at = d.version(n) }
	}
	words := func(at *[]string, read func(*yaml.Node) string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			d.list(n, maxWords, func(n *yaml.Node) { *at = append(*at, read(n)) })
		}
	}
	seen := d.mapping(n,
		field{"name", func(n *yaml.Node) { k.Name, k.Line, k.Column = d.name(n), n.Line, n.Column }},
		field{"what", line(&k.What)},
		field{"when", func(n *yaml.Node) { k.When = When(d.word(n, whens...)) }},
		field{"who", func(n *yaml.Node) { k.Who = Who(d.word(n, whos...)) }},
		field{"since", version(&k.Since)},
		field{"until", version(&k.Until)},
		field{"abi", func(n *yaml.Node) { k.ABI = d.integer(n, 1, 1000) }},
		field{"match", func(n *yaml.Node) { k.match, k.Match = n, d.match(n) }},
		field{"expect", func(n *yaml.Node) {
			k.expect, k.Expect = n, d.expect(n)
			d.stable(n, &k.Expect)
		}},
		field{"sometimes", words(&k.Sometimes, d.right)},
		field{"paths", words(&k.Paths, d.path)},
		field{"deb", words(&k.Debs, d.debName)},
		field{"npm", func(n *yaml.Node) { k.NPM = d.npmName(n) }},
		field{"on", line(&k.On)},
		field{"off", line(&k.Off)},
		field{"checked", func(n *yaml.Node) { k.Checked = d.checked(n) }},
		field{"tests", words(&k.Tests, d.line)},
		field{"untested", line(&k.Untested)})
	if seen == nil {
		return k
	}
	for _, key := range [...]string{"name", "what", "when", "who"} {
		if seen[key] == nil {
			d.fail(n, "the program has no %s", key)
		}
	}
	if seen["match"] == nil && (k.When != Launcher || k.Expect.Restricts != nil) {
		d.fail(n, "the program has no match, which only launchers can lack")
	}
	if (k.When != ByDefault) != (seen["on"] != nil) {
		d.fail(n, "on is for what is optional, or launches, and that must have it")
	}
	if (seen["tests"] == nil) == (seen["untested"] == nil) {
		d.fail(n, "want either tests, or untested with the reason")
	}
	if seen["tests"] != nil && seen["checked"] == nil {
		d.fail(n, "the program has tests, and no checked")
	}
	if k.Who == Thread && !k.Expect.Partial {
		d.fail(n, "of who: thread, expect must have state: [sandboxed, partial]")
	}
	if seen["paths"] == nil && k.NPM == "" && seen["match"] == nil {
		d.fail(n, "neither match nor paths nor npm: nobody could find it")
	}
	return k
}

// right reads the name of a right.
func (d *decoder) right(n *yaml.Node) string {
	text := d.rights(n)
	if isRightGlob(text) {
		d.fail(n, "%s: want the name of a right", quote(text))
	}
	return text
}

const (
	maxWords = 16  // of a list of one program
	maxLine  = 400 // bytes of a text
)

// stable refuses what is not the same for every kernel and configuration.
func (d *decoder) stable(n *yaml.Node, x *Expect) {
	for _, right := range x.Restricts {
		if isRightGlob(right) {
			d.fail(n, "%s: want the names of rights: kernels add some faster than programs use them",
				quote(right))
		}
	}
	if x.Free || len(x.OutOfReach) > 0 {
		d.fail(n, "neither state: [unsandboxed] nor out_of_reach is known of programs")
	}
}

// line reads text that is shown as it is.
func (d *decoder) line(n *yaml.Node) string {
	const want = "text of one line"
	text, ok := d.text(n, want)
	_, unseen := invisible(KeyUnit, text)
	if ok && (text == "" || len(text) > maxLine || unseen) {
		d.fail(n, "%s: want %s, of at most %d bytes, without blanks at its ends", quote(text), want, maxLine)
	}
	return text
}

var (
	versionText = lazyregexp.New(`^[0-9][0-9A-Za-z.+~-]{0,63}$`)
	debText     = lazyregexp.New(`^[a-z0-9][a-z0-9+.-]{1,63}$`)
	npmText     = lazyregexp.New(`^(@[a-z0-9][a-z0-9._-]{0,63}/)?[a-z0-9][a-z0-9._-]{0,63}$`)
)

func (d *decoder) matching(n *yaml.Node, re func() *regexp.Regexp, want string) string {
	text, ok := d.text(n, want)
	if ok && !re().MatchString(text) {
		d.fail(n, "%s: want %s", quote(text), want)
	}
	return text
}

func (d *decoder) version(n *yaml.Node) string {
	return d.matching(n, versionText, `a version such as "5.6.2", in quotes`)
}

func (d *decoder) debName(n *yaml.Node) string {
	return d.matching(n, debText, "the name of a package")
}
func (d *decoder) npmName(n *yaml.Node) string {
	return d.matching(n, npmText, "the name of a package")
}

var pathText = lazyregexp.New(`^(/[A-Za-z0-9_+.@-]+)+$`)

// path reads the path of one file: nobody looks for others.
func (d *decoder) path(n *yaml.Node) string {
	text := d.matching(n, pathText, "the absolute path of a program")
	for part := range strings.SplitSeq(text, "/") {
		if part == "." || part == ".." {
			d.fail(n, "%s: want a path without %s", quote(text), part)
		}
	}
	return text
}

func (d *decoder) checked(n *yaml.Node) *Checked {
	var c Checked
	seen := d.mapping(n,
		field{"version", func(n *yaml.Node) { c.Version = d.version(n) }},
		field{"kernel", func(n *yaml.Node) { c.Kernel = d.version(n) }},
		field{"date", func(n *yaml.Node) {
			at, err := time.Parse(time.DateOnly, n.Value)
			if n.Kind != yaml.ScalarNode || err != nil {
				d.fail(n, "%s: want a date such as 2026-11-29", what(n))
			}
			c.Date = at
		}})
	for _, key := range [...]string{"version", "kernel", "date"} {
		if seen != nil && seen[key] == nil {
			d.fail(n, "checked has no %s", key)
		}
	}
	return &c
}

// RuleText returns what the program's match and expect are in a rule, as lines of YAML that
// begin at a column; the text is that of the file, without its comments.
func (k *Known) RuleText(indent int) string {
	var b strings.Builder
	for _, part := range [...]struct {
		key  string
		node *yaml.Node
	}{{"match", k.match}, {"expect", k.expect}} {
		if part.node != nil {
			b.WriteString(strings.Repeat(" ", indent) + part.key + ": ")
			flow(&b, part.node)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// flow writes a node in one line.
func flow(b *strings.Builder, n *yaml.Node) {
	between := func(i int) {
		if i > 0 {
			b.WriteString(", ")
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			between(i)
			b.WriteString(n.Content[i].Value + ": ")
			flow(b, n.Content[i+1])
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, element := range n.Content {
			between(i)
			flow(b, element)
		}
		b.WriteByte(']')
	default:
		quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
		if !quoted && plainText().MatchString(n.Value) || n.ShortTag() != "!!str" {
			b.WriteString(n.Value)
		} else {
			// The escapes of Go are among those of YAML's scalars in double quotes.
			b.WriteString(strconv.QuoteToASCII(n.Value))
		}
	}
}

// plainText is what means the same without quotes.
var plainText = lazyregexp.New(`^[a-z/][a-z0-9_./@-]*[a-z0-9]$`)
