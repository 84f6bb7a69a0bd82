// SPDX-License-Identifier: Apache-2.0

package access

import "github.com/landlockd/landlockd/internal/enum"

// Answer is what is known of a question that has two answers.
type Answer uint8

const (
	// Unknown: it is not known.
	Unknown Answer = iota
	// No and Yes are known for certain.
	No
	Yes
)

var answers = enum.Words[Answer]{"unknown", "no", "yes"}

func (a Answer) String() string { return answers.Of(a) }

// MarshalText encodes the word.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Or reports whether a or o is so.
func (a Answer) Or(o Answer) Answer {
	switch {
	case a == Yes || o == Yes:
		return Yes
	case a == No && o == No:
		return No
	default:
		return Unknown
	}
}

// Not reports whether a is not so.
func (a Answer) Not() Answer {
	switch a {
	case No:
		return Yes
	case Yes:
		return No
	default:
		return Unknown
	}
}

// And reports whether both a and o are so.
func (a Answer) And(o Answer) Answer { return a.Not().Or(o.Not()).Not() }

// Between returns what is known of what is so for certain if sure, and else only if may.
func Between(sure, may bool) Answer {
	switch {
	case sure:
		return Yes
	case may:
		return Unknown
	default:
		return No
	}
}

// Bounds is a set of rights that is not wholly known: the rights in Sure are in it,
// those outside of May are not, and of the others it is unknown. Sure is within May.
type Bounds struct{ Sure, May Rights }

// Exactly is a set that is known.
func Exactly(r Rights) Bounds { return Bounds{r, r} }

// Anything is a set of which nothing is known.
func Anything() Bounds { return Bounds{May: Every()} }

// Of reports whether a right is in the set.
func (b Bounds) Of(r Right) Answer { return Between(r.In(b.Sure), r.In(b.May)) }

// Some reports whether there is a right in the set.
func (b Bounds) Some() Answer { return Between(!b.Sure.Empty(), !b.May.Empty()) }

// Unknown returns the rights of which it is unknown.
func (b Bounds) Unknown() Rights { return b.May.Without(b.Sure) }

// Union returns the set of what is in b or in o.
func (b Bounds) Union(o Bounds) Bounds {
	return Bounds{b.Sure.Union(o.Sure), b.May.Union(o.May)}
}

// Intersect returns the set of what is in b and in o.
func (b Bounds) Intersect(o Bounds) Bounds {
	return Bounds{b.Sure.Intersect(o.Sure), b.May.Intersect(o.May)}
}
