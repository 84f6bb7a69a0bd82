// SPDX-License-Identifier: Apache-2.0

package table

import "fmt"

// Color is one of the eight that every terminal has, which follow its theme.
type Color uint8

const (
	// Default is the terminal's own.
	Default Color = iota
	Red
	Green
	Yellow
	Magenta
)

// ByState returns the color of a state's word. None is known by its color alone.
func ByState(word string) Color {
	switch word {
	case "sandboxed", "compliant", "out_of_reach":
		return Green
	case "partial", "ineffective":
		return Yellow
	case "unsandboxed", "violating", "within_reach":
		return Red
	case "unknown":
		return Magenta
	default:
		return Default
	}
}

// State is a cell of a state's word, in its color.
func State(word string) Cell { return Cell{Text: word, Color: ByState(word)} }

// Paint returns text in the color, by the sequences of ECMA-48 that [Table.Write] uses.
func (c Color) Paint(text string) string {
	code := [...]int{Red: 31, Green: 32, Yellow: 33, Magenta: 35}[c]
	if c == Default {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}
