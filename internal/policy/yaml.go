// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"io"

	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/lazyregexp"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// Bounds of what is read.
const (
	maxFileSize = 4 << 20 // bytes
	maxItems    = 1000    // of a list of anything but rules
	maxRules    = 20_000  // of all files together
	maxQuoted   = 64      // bytes of a file's text in a message
)

// decoder reads one file's YAML, strictly. It goes on after a problem, so that
// all of them are found, and keeps them with their places.
type decoder struct {
	file     string
	problems []Problem
	warnings []Problem
	// named are the names of assets, and asked those that rules ask for.
	named, asked []namedAsset
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, d.problem(n, format, args...))
}

func (d *decoder) warn(n *yaml.Node, format string, args ...any) {
	d.warnings = append(d.warnings, d.problem(n, format, args...))
}

func (d *decoder) problem(n *yaml.Node, format string, args ...any) Problem {
	err := fmt.Errorf(format, args...)
	p := Problem{File: d.file, Message: err.Error(), Cause: errors.Unwrap(err)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	return p
}

// document returns the one value of a file, or nil if there is none.
func (d *decoder) document(text string) *yaml.Node {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		d.fail(&second, "a second document: want one in a file")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	if len(first.Content) == 0 || isNull(first.Content[0]) {
		return nil
	}
	return first.Content[0]
}

// inMessage is where the parser gives the line: only its error text has it.
var inMessage = lazyregexp.New(`^yaml: (?:line (\d+): )?`)

func (d *decoder) syntax(err error) {
	text := err.Error()
	p := Problem{File: d.file, Line: 1, Column: 1}
	if m := inMessage().FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			p.Line = line
		}
	}
	p.Message = "not YAML: " + untrusted.OneLine(text)
	d.problems = append(d.problems, p)
}

// field is one key that a mapping may have.
type field struct {
	key  string
	read func(*yaml.Node)
}

// mapping reads a mapping: each key at most once, and only those of fields.
// It returns the places of the keys that are there.
func (d *decoder) mapping(n *yaml.Node, fields ...field) map[string]*yaml.Node {
	if !d.is(n, yaml.MappingNode, "a mapping of keys to values") {
		return nil
	}
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		isText := key.Kind == yaml.ScalarNode && key.ShortTag() == "!!str"
		f := slices.IndexFunc(fields, func(f field) bool { return isText && f.key == key.Value })
		switch before := seen[key.Value]; {
		case f < 0:
			d.fail(key, "unknown key %s: want one of %s", quote(key.Value), names(fields))
		case before != nil:
			d.fail(key, "the key %s is here a second time: the first is in line %d", key.Value, before.Line)
		default:
			seen[key.Value] = key
			fields[f].read(value)
		}
	}
	return seen
}

func names(fields []field) string {
	keys := make([]string, len(fields))
	for i := range fields {
		keys[i] = fields[i].key
	}
	return strings.Join(keys, ", ")
}

// list calls read with each element of a list of at least one and at most limit.
func (d *decoder) list(n *yaml.Node, limit int, read func(*yaml.Node)) {
	if !d.is(n, yaml.SequenceNode, "a list, such as [a, b]") {
		return
	}
	if len(n.Content) == 0 {
		d.fail(n, "an empty list: leave the key out")
	}
	d.elements(n, limit, read)
}

// section is a list that may be empty or null, as it is when all that stands
// below its key is commented out.
func (d *decoder) section(n *yaml.Node, limit int, read func(*yaml.Node)) {
	if !isNull(n) && d.is(n, yaml.SequenceNode, "a list") {
		d.elements(n, limit, read)
	}
}

func (d *decoder) elements(n *yaml.Node, limit int, read func(*yaml.Node)) {
	for i, element := range n.Content {
		if i == limit {
			d.fail(element, "more than %d elements", limit)
			return
		}
		read(element)
	}
}

// is reports whether a node is of a kind; if not, that is a problem.
func (d *decoder) is(n *yaml.Node, kind yaml.Kind, want string) bool {
	ok := n.Kind == kind && n.Style&yaml.TaggedStyle == 0
	if !ok {
		d.wrong(n, want)
	}
	return ok
}

// wrong is a problem with what stands in place of what is wanted.
func (d *decoder) wrong(n *yaml.Node, want string) {
	if n.Kind == yaml.AliasNode {
		d.fail(n, "an alias: want the value itself")
	} else {
		d.fail(n, "%s: want %s", what(n), want)
	}
}

// scalar returns the text of a scalar with a tag, "!!str".
func (d *decoder) scalar(n *yaml.Node, tag, want string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == tag {
		return n.Value, true
	}
	d.wrong(n, want)
	return "", false
}

func (d *decoder) text(n *yaml.Node, want string) (string, bool) {
	return d.scalar(n, "!!str", want)
}

// word returns which of some words a text is; the first one if it is none.
func (d *decoder) word(n *yaml.Node, words ...string) int {
	last := len(words) - 1
	want := words[last]
	if last > 0 {
		want = strings.Join(words[:last], ", ") + " or " + want
	}
	text, ok := d.text(n, want)
	i := slices.Index(words, text)
	if ok && i < 0 {
		d.fail(n, "%s: want %s", quote(text), want)
	}
	return max(i, 0)
}

func (d *decoder) boolean(n *yaml.Node) bool {
	text, _ := d.scalar(n, "!!bool", "true or false")
	return strings.EqualFold(text, "true")
}

func (d *decoder) integer(n *yaml.Node, least, most int) int {
	want := fmt.Sprintf("a number from %d to %d", least, most)
	if _, ok := d.scalar(n, "!!int", want); !ok {
		return 0
	}
	var v int64
	if err := n.Decode(&v); err != nil || v < int64(least) || v > int64(most) {
		d.fail(n, "%s: want %s", quote(n.Value), want)
		return 0
	}
	return int(v)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// what names what stands in place of what was wanted.
func what(n *yaml.Node) string {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case tag == "!!null":
		return "nothing"
	case tag == "!!str":
		return "the text " + quote(n.Value)
	case tag == "!!int", tag == "!!float":
		return "the number " + quote(n.Value)
	default:
		return quote(n.Value)
	}
}

// quote returns text of a file fit for a message.
func quote(text string) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%.*q...", maxQuoted, text)
	}
	return strconv.Quote(text)
}
