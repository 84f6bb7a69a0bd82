// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

type pair struct{ key, place int }

func byKey(a, b pair) int { return cmp.Compare(a.key, b.key) }

// Both sort as package slices does.
func TestOrder(t *testing.T) {
	for n := range 200 {
		var all []pair
		for i := range n {
			all = append(all, pair{rand.IntN(20), i})
		}
		want, stable, by := slices.Clone(all), slices.Clone(all), slices.Clone(all)
		slices.SortStableFunc(want, byKey)
		StableBy(stable, byKey)
		if !slices.Equal(stable, want) {
			t.Fatalf("%v: %v, want %v", all, stable, want)
		}
		whole := func(a, b pair) int { return cmp.Or(byKey(a, b), cmp.Compare(a.place, b.place)) }
		if By(by, whole); !slices.Equal(by, want) {
			t.Fatalf("%v: %v, want %v", all, by, want)
		}
	}
}
