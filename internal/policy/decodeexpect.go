// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) expect(n *yaml.Node) Expect {
	var x Expect
	seen := d.mapping(n,
		field{"state", func(n *yaml.Node) { d.states(n, &x) }},
		field{"effective", func(n *yaml.Node) {
			if v, ok := d.boolean(n); ok {
				x.Ineffective = !v
			}
		}},
		field{"min_depth", func(n *yaml.Node) { x.MinDepth = d.integer(n, 0, maxDepth) }},
		field{"max_depth", func(n *yaml.Node) { x.MaxDepth = d.integer(n, 1, maxDepth) }},
		field{"restricts", func(n *yaml.Node) {
			d.list(n, maxItems, func(n *yaml.Node) {
				d.word(n, "the name of a right, or a glob", x.addRight)
			})
		}},
		field{"on_old_kernel", func(n *yaml.Node) {
			d.word(n, "skip or violation", x.setOldKernel)
		}},
		field{"outside_workers", func(n *yaml.Node) {
			d.word(n, "unknown, violation or allow", x.setOutsideWorkers)
		}})
	for _, c := range x.clashes(func(key string) bool { return seen[key] != nil }) {
		d.fail(seen[c.key], "%v", c.err)
	}
	return x
}

func (d *decoder) states(n *yaml.Node, x *Expect) {
	before := len(d.problems)
	var states []string
	d.list(n, 2, func(n *yaml.Node) {
		d.word(n, "sandboxed, partial or unsandboxed", func(text string) error {
			states = append(states, text)
			return x.addState(text)
		})
	})
	if len(d.problems) == before {
		if err := statesError(states); err != nil {
			d.fail(n, "%v", err)
		}
	}
}

// word reads a text with set, which returns what else is wrong with it.
func (d *decoder) word(n *yaml.Node, want string, set func(string) error) {
	if text, ok := d.text(n, want); ok {
		if err := set(text); err != nil {
			d.fail(n, "%v", err)
		}
	}
}

func (x *Expect) addState(text string) error {
	switch text {
	case "sandboxed":
	case "partial":
		x.Partial = true
	case "unsandboxed":
		x.Free = true
	default:
		return fmt.Errorf("%s: want sandboxed, partial or unsandboxed", quote(text))
	}
	return nil
}

// statesError returns what is wrong with states as a list.
func statesError(states []string) error {
	switch free := slices.Contains(states, "unsandboxed"); {
	case free && len(states) > 1:
		return errors.New("unsandboxed must be the only state")
	case !free && !slices.Contains(states, "sandboxed"):
		return errors.New("sandboxed must be among the states, or unsandboxed be the only one")
	default:
		return nil
	}
}

func (x *Expect) setOldKernel(text string) error {
	switch text {
	case "skip":
		x.OldKernel = Skip
	case "violation":
		x.OldKernel = Violate
	default:
		return fmt.Errorf("%s: want skip or violation", quote(text))
	}
	return nil
}

func (x *Expect) setOutsideWorkers(text string) error {
	i := slices.Index(outsideWorkers[:], text)
	if i < 0 {
		return fmt.Errorf("%s: want unknown, violation or allow", quote(text))
	}
	x.OutsideWorkers = OutsideWorkers(i)
	return nil
}

// ofSandbox are the keys that ask something of a sandbox. It is never written.
var ofSandbox = [...]string{"effective", "min_depth", "max_depth", "restricts", "on_old_kernel",
	"outside_workers"}

// besideRestricts are the keys that only qualify restricts. It is never written.
var besideRestricts = [...]string{"on_old_kernel", "outside_workers"}

// clash is a key that cannot stand beside the others, and why.
type clash struct {
	key string
	err error
}

// clashes returns the keys that cannot stand beside the others that are given.
func (x *Expect) clashes(given func(key string) bool) (all []clash) {
	fail := func(key, format string, args ...any) {
		all = append(all, clash{key, fmt.Errorf(format, args...)})
	}
	if x.Free {
		for _, key := range ofSandbox {
			if given(key) {
				fail(key, "%s asks something of a sandbox, and state: [unsandboxed] is for none",
					key)
			}
		}
		return all
	}
	for _, key := range besideRestricts {
		if given(key) && !given("restricts") {
			fail(key, "%s needs restricts beside it", key)
		}
	}
	if x.MaxDepth > 0 && x.MaxDepth < x.MinDepth {
		fail("max_depth", "max_depth %d is less than min_depth %d: nothing complies",
			x.MaxDepth, x.MinDepth)
	}
	return all
}

// expectKeys names all keys, for messages.
func expectKeys() string {
	return "state, " + strings.Join(ofSandbox[:], ", ")
}
