// SPDX-License-Identifier: Apache-2.0

// Package null has values in the form of docs/json.md: null is what is not known.
package null

// Unless returns a value, or nil if it is the one that stands for what is not known.
func Unless[T comparable](v, unknown T) *T {
	if v == unknown {
		return nil
	}
	return &v
}

// Or is the inverse of Unless.
func Or[T any](v *T, unknown T) T {
	if v == nil {
		return unknown
	}
	return *v
}
