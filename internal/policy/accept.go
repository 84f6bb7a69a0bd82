// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// Accept is a waiver: violations are accepted until a day. They are counted and shown all the
// time, as [Waived], and are violations again from that day on.
type Accept struct {
	// Until is when that day begins, in UTC.
	Until time.Time
	// Reason is why, in the words of who wrote it.
	Reason string
}

// InForce reports whether violations are accepted at a time: never if that is not known.
func (a *Accept) InForce(at time.Time) bool {
	return a != nil && !at.IsZero() && at.Before(a.Until)
}

// Day is the day until which it is in force, such as 2027-01-31.
func (a *Accept) Day() string { return a.Until.Format(time.DateOnly) }

// Words returns until when violations are accepted and why, on one line.
func (a *Accept) Words() string {
	return fmt.Sprintf("accepted until %s: %s", a.Day(), untrusted.OneLine(a.Reason))
}

// Accepts returns the waivers of a rule that are in force at a time, the first to end first:
// that of the rule itself, and those of its except.
func (r *Rule) Accepts(at time.Time) (all []*Accept) {
	for _, a := range r.accepts() {
		if a.InForce(at) {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b *Accept) int { return a.Until.Compare(b.Until) })
	return all
}

// accepts returns all waivers of a rule.
func (r *Rule) accepts() (all []*Accept) {
	if r.Accept != nil {
		all = append(all, r.Accept)
	}
	for i := range r.Except {
		if a := r.Except[i].Accept; a != nil {
			all = append(all, a)
		}
	}
	return all
}

// HasAccept reports whether a rule has a waiver, be it in force or not.
func (r *Rule) HasAccept() bool { return len(r.accepts()) > 0 }

// Lapsed returns warnings of waivers that are in force no more: what they accepted are
// violations, and they can go.
func (c *Config) Lapsed(now time.Time) (all []Problem) {
	for i := range c.Rules {
		for _, a := range c.Rules[i].accepts() {
			if !a.InForce(now) {
				all = append(all, c.Rules[i].problem("accept of rule %s is in force no more, since %s",
					c.Rules[i].Name, a.Day()))
			}
		}
	}
	return all
}

// maxReason is how long a reason can be, in bytes.
const maxReason = 500

func (d *decoder) accept(n *yaml.Node) *Accept {
	var a Accept
	seen := d.mapping(n,
		field{"until", func(n *yaml.Node) { a.Until = d.day(n) }},
		field{"reason", func(n *yaml.Node) { a.Reason = d.reason(n) }})
	for _, key := range [...]string{"until", "reason"} {
		if seen != nil && seen[key] == nil {
			d.fail(n, "accept has no %s: want until when, and why", key)
		}
	}
	return &a
}

func (d *decoder) day(n *yaml.Node) time.Time {
	const want = "a day such as 2027-01-31"
	// YAML takes a day for a time, and one in quotes for text.
	tag := n.ShortTag()
	at, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || tag != "!!timestamp" && tag != "!!str" || err != nil {
		d.fail(n, "%s: want %s", what(n), want)
	}
	return at
}

func (d *decoder) reason(n *yaml.Node) string {
	const want = "a sentence that says why"
	text, ok := d.text(n, want)
	switch {
	case !ok:
	case text == "":
		d.fail(n, "an empty reason: want %s", want)
	case len(text) > maxReason || !utf8.ValidString(text):
		d.fail(n, "a reason of %d bytes: want %s, of at most %d", len(text), want, maxReason)
	}
	return text
}
