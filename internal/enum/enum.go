// SPDX-License-Identifier: Apache-2.0

// Package enum gives the values of small types their words.
package enum

import (
	"fmt"
	"strings"
)

// Words are the words of a type's values, in the order of the values from 0 on. They are
// never changed.
type Words[T ~uint8] []string

// Of returns the word of a value. One that has none gets that of 0.
func (w Words[T]) Of(v T) string {
	if int(v) < len(w) {
		return w[v]
	}
	return w[0]
}

// Parse sets v to the value of a word. The error begins with what the word is of, and
// lists those that there are.
func (w Words[T]) Parse(v *T, word []byte, what string) error {
	for i, known := range w {
		if known == string(word) {
			*v = T(i)
			return nil
		}
	}
	last := len(w) - 1
	return fmt.Errorf("%s %.32q: want %s or %s", what, word, strings.Join(w[:last], ", "), w[last])
}
