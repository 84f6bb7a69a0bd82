// SPDX-License-Identifier: Apache-2.0

package main

import "strconv"

// whole is the value of a flag that is a whole number. Kingpin's own takes 1.5, for 1.
type whole int

// Set implements [kingpin.Value].
func (w *whole) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err == nil {
		*w = whole(n)
	}
	return err
}

// String implements [kingpin.Value].
func (w *whole) String() string { return strconv.Itoa(int(*w)) }
