// SPDX-License-Identifier: Apache-2.0

// Package order sorts what is shown, as package slices does. That has some 25 kB of program
// for each type of struct, which it is faster by; this has hardly any, for where few are sorted.
package order

import "sort"

// By sorts as [slices.SortFunc] does.
func By[T any](s []T, compare func(a, b T) int) {
	sort.Slice(s, func(i, j int) bool { return compare(s[i], s[j]) < 0 })
}

// StableBy sorts as [slices.SortStableFunc] does.
func StableBy[T any](s []T, compare func(a, b T) int) {
	sort.SliceStable(s, func(i, j int) bool { return compare(s[i], s[j]) < 0 })
}
