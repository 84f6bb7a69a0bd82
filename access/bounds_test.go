// SPDX-License-Identifier: Apache-2.0

package access

import (
	"math/rand/v2"
	"testing"
)

// A set that is not wholly known stands for every set between its bounds: what is
// concluded of two such sets holds for each choice of both.
func TestBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rights := func() (r Rights) {
		for c := range r {
			r[c] = random.Uint32() & random.Uint32()
		}
		return r
	}
	between := func(b Bounds) Rights { return b.Sure.Union(b.Unknown().Intersect(rights())) }
	within := func(r Rights, b Bounds) bool { return r.Has(b.Sure) && b.May.Has(r) }
	for range 1000 {
		a, b := Exactly(rights()), Exactly(rights())
		a.May, b.May = a.May.Union(rights()), b.May.Union(rights())
		x, y := between(a), between(b)
		if !within(x.Union(y), a.Union(b)) || !within(x.Intersect(y), a.Intersect(b)) || !within(x, Anything()) {
			t.Fatalf("%v of %+v and %v of %+v", x, a, y, b)
		}
		for _, r := range Of(Every()) {
			if got := a.Of(r); got == Yes && !r.In(x) || got == No && r.In(x) {
				t.Fatalf("%s: %v, but it is in %v: %v", r, got, x, r.In(x))
			}
		}
		if some := a.Some(); some == Yes && x.Empty() || some == No && !x.Empty() {
			t.Fatalf("%v: %v", x, some)
		}
	}
	if Exactly(Rights{}).Some() != No || Anything().Some() != Unknown || Exactly(Every()).Some() != Yes {
		t.Error("Some is wrong at the ends")
	}
}

// What is concluded of two answers holds for each choice of those that are not known.
func TestAnswers(t *testing.T) {
	either := map[Answer][]bool{No: {false}, Yes: {true}, Unknown: {false, true}}
	agree := func(all []bool) Answer {
		var seen [2]bool
		for _, b := range all {
			seen[map[bool]int{false: 0, true: 1}[b]] = true
		}
		switch {
		case seen[0] && seen[1]:
			return Unknown
		case seen[1]:
			return Yes
		default:
			return No
		}
	}
	for a, as := range either {
		for o, os := range either {
			var or, and []bool
			for _, x := range as {
				for _, y := range os {
					or, and = append(or, x || y), append(and, x && y)
				}
			}
			if got, want := a.Or(o), agree(or); got != want {
				t.Errorf("%v or %v: %v, want %v", a, o, got, want)
			}
			if got, want := a.And(o), agree(and); got != want {
				t.Errorf("%v and %v: %v, want %v", a, o, got, want)
			}
		}
	}
}
