// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the length of the longest name, in bytes.
const maxName = 128

// clean makes text fit to be a name: it replaces what is not UTF-8 and what is not
// printable by U+FFFD, and cuts what is too long.
func clean(text string) string {
	// More than any name takes is not looked at.
	text = text[:min(len(text), 4*maxName)]
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= maxName {
		return text
	}
	end := maxName
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
