// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/nearest"
	"github.com/landlockd/landlockd/scan"
)

// Expect is how a process must be. A new expectation is a member here, its key in
// decoder.expect, a line of requirements in requirements.go with a [Reason], and its rows in
// docs/rules.md and its schema.
type Expect struct {
	// Free: it must be [scan.Unsandboxed]. Nothing else is asked for then.
	Free bool
	// Partial: it may be [scan.Partial]. Otherwise [scan.Sandboxed] alone is right.
	Partial bool
	// Ineffective: it may be restricted in no right.
	Ineffective bool
	// MinDepth is the least depth of its tasks that are in a domain.
	MinDepth int
	// MaxDepth is the greatest depth of its tasks; 0 if any is right.
	MaxDepth int
	// Restricts are names and globs of rights. Each of its tasks that is in a
	// domain must have a layer that handles the right and grants it neither
	// everywhere nor, for ports, without limit.
	Restricts []string
	// OldKernelViolates: every process violates the rule if the running kernel lacks
	// one of Restricts. Otherwise that one is not asked for.
	OldKernelViolates bool
	// OutOfReach are the assets that Landlock must keep it from.
	OutOfReach []domainid.Asset
	// OutsideWorkers is what follows, if Restricts or OutOfReach asks for something, of a
	// worker that may act outside of the process's domains.
	OutsideWorkers OutsideWorkers
}

// OutsideWorkers is what follows if a worker of a process may act outside of the
// process's domains: what they restrict does not hold for it.
type OutsideWorkers uint8

const (
	// OutsideUnknown: it is unknown whether the process complies.
	OutsideUnknown OutsideWorkers = iota
	// OutsideViolates: the process violates the rule.
	OutsideViolates
	// OutsideAllowed: nothing.
	OutsideAllowed
)

// Allows reports whether a state is right.
func (x *Expect) Allows(s scan.State) bool {
	if x.Free {
		return s == scan.Unsandboxed
	}
	return s == scan.Sandboxed || s == scan.Partial && x.Partial
}

func (d *decoder) expect(n *yaml.Node) Expect {
	var x Expect
	fields := []field{
		{"state", func(n *yaml.Node) { d.states(n, &x) }},
		{"effective", func(n *yaml.Node) { x.Ineffective = !d.boolean(n) }},
		{"min_depth", func(n *yaml.Node) { x.MinDepth = d.integer(n, 0, maxDepth) }},
		{"max_depth", func(n *yaml.Node) { x.MaxDepth = d.integer(n, 1, maxDepth) }},
		{"restricts", func(n *yaml.Node) {
			d.list(n, maxItems, func(n *yaml.Node) { x.Restricts = append(x.Restricts, d.rights(n)) })
		}},
		{"out_of_reach", func(n *yaml.Node) {
			d.list(n, domainid.MaxAssets, func(n *yaml.Node) {
				if name, ok := d.text(n, "the name of an asset"); ok {
					x.OutOfReach = append(x.OutOfReach, domainid.Asset{Name: name})
					d.asked = append(d.asked, namedAsset{name, d.problem(n, "")})
				}
			})
		}},
		{"on_old_kernel", func(n *yaml.Node) {
			x.OldKernelViolates = d.word(n, "skip", "violation") == 1
		}},
		{"outside_workers", func(n *yaml.Node) {
			x.OutsideWorkers = OutsideWorkers(d.word(n, "unknown", "violation", "allow"))
		}},
	}
	seen := d.mapping(n, fields...)
	if x.Free {
		for _, f := range fields[1:] {
			if at := seen[f.key]; at != nil {
				d.fail(at, "%s asks something of a sandbox, and state: [unsandboxed] is for none",
					f.key)
			}
		}
		return x
	}
	if at := seen["on_old_kernel"]; at != nil && seen["restricts"] == nil {
		d.fail(at, "on_old_kernel needs restricts beside it")
	}
	if at := seen["outside_workers"]; at != nil && seen["restricts"] == nil &&
		seen["out_of_reach"] == nil {
		d.fail(at, "outside_workers needs restricts or out_of_reach beside it")
	}
	if x.MaxDepth > 0 && x.MaxDepth < x.MinDepth {
		d.fail(seen["max_depth"], "max_depth %d is less than min_depth %d: nothing complies",
			x.MaxDepth, x.MinDepth)
	}
	return x
}

// states reads which states are right.
func (d *decoder) states(n *yaml.Node, x *Expect) {
	before := len(d.problems)
	var states []int
	d.list(n, 2, func(n *yaml.Node) {
		states = append(states, d.word(n, "sandboxed", "partial", "unsandboxed"))
	})
	x.Partial, x.Free = slices.Contains(states, 1), slices.Contains(states, 2)
	switch {
	case len(d.problems) > before:
	case x.Free && len(states) > 1:
		d.fail(n, "unsandboxed must be the only state")
	case !x.Free && !slices.Contains(states, 0):
		d.fail(n, "sandboxed must be among the states, or unsandboxed be the only one")
	}
}

// rights reads the name of a right, or a glob over names.
func (d *decoder) rights(n *yaml.Node) string {
	text, ok := d.text(n, "the name of a right, or a glob")
	if !ok || len(rightsOf(text)) > 0 {
		return text
	}
	if !isRightGlob(text) {
		meant := nearest.Hint(text, access.Names(access.Supported(math.MaxInt)))
		d.fail(n, "%s is no right%s", quote(text),
			cmp.Or(meant, ": docs/rights.md has their names, such as fs.write_file"))
	} else if _, err := path.Match(text, ""); err != nil {
		d.fail(n, "%s: %v", quote(text), err)
	} else {
		d.fail(n, "%s matches no right", quote(text))
	}
	return text
}

func isRightGlob(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// rightsOf returns the rights that a name or a glob means.
func rightsOf(text string) []access.Right {
	if isRightGlob(text) {
		return access.Match(text)
	}
	if r, ok := access.Lookup(text); ok {
		return []access.Right{r}
	}
	return nil
}

// ParseExpect reads what is expected of a process from one line of keys and
// values, the keys as in a rule's expect:
//
//	state=sandboxed,min_depth=1,restricts=fs.write_file,net.*
//
// An item without = is one more value of the key before it. Without state,
// sandboxed is expected. assets are those that out_of_reach can name.
func ParseExpect(text string, assets ...domainid.Asset) (Expect, error) {
	var keys []string
	mapping := yaml.Node{Kind: yaml.MappingNode}
	for item := range strings.SplitSeq(text, ",") {
		value := strings.TrimSpace(item)
		key, v, isKey := strings.Cut(value, "=")
		if isKey {
			if key, value = strings.TrimSpace(key), strings.TrimSpace(v); slices.Contains(keys, key) {
				return Expect{}, fmt.Errorf("%s is there twice", quote(key))
			}
			keys = append(keys, key)
			mapping.Content = append(mapping.Content,
				&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key},
				&yaml.Node{Kind: yaml.SequenceNode, Line: len(keys)})
		}
		isList := len(keys) > 0 && slices.Contains([]string{"state", "restricts", "out_of_reach"}, keys[len(keys)-1])
		if !isKey && !isList {
			return Expect{}, fmt.Errorf("%s: want key=value", quote(item))
		}
		of := mapping.Content[len(mapping.Content)-1]
		scalar := yaml.Node{Kind: yaml.ScalarNode, Value: value, Line: len(keys)}
		if isList {
			of.Content = append(of.Content, &scalar)
		} else {
			*of = scalar
		}
	}
	var d decoder
	x := d.expect(&mapping)
	c := Config{Assets: assets, Rules: []Rule{{Expect: x}}}
	d.problems = append(d.problems, c.resolve(nil, d.asked)...)
	if len(d.problems) == 0 {
		return x, nil
	}
	p := d.problems[0]
	if p.Line > 0 { // of a value, which does not name its key
		p.Message = keys[p.Line-1] + ": " + p.Message
	}
	return Expect{}, errors.New(p.Message)
}
