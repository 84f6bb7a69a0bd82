// SPDX-License-Identifier: Apache-2.0

package untrusted

import "strings"

const (
	// hanging is how much further in than its first line the rest of a line stands.
	hanging = 2
	// MinWidth is the width in columns below which lines get no narrower.
	MinWidth = 40
	// noBreak stands for a space in what others chose until lines are broken: no name
	// may look like a line of its own. Escaped text never has it.
	noBreak = "\x00"
)

// Fixed keeps escaped text in one line, through [Wrap].
func Fixed(escaped string) string { return strings.ReplaceAll(escaped, " ", noBreak) }

// Wrap breaks the lines of text between words so that they have no more columns than
// the terminal, if words let them; 0 leaves lines whole. What stands on a further line is
// further in.
func Wrap(text string, columns int) string {
	if columns > 0 {
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = wrapLine(lines[i], max(columns, MinWidth))
		}
		text = strings.Join(lines, "\n")
	}
	return strings.ReplaceAll(text, noBreak, " ")
}

func wrapLine(line string, columns int) string {
	if Columns(line) <= columns {
		return line
	}
	words, item := strings.CutPrefix(strings.TrimLeft(line, " "), "- ")
	start := line[:len(line)-len(words)]
	indent := len(start)
	if !item {
		indent += hanging
	}
	var b strings.Builder
	b.WriteString(start)
	used := len(start)
	for i, word := range strings.Split(words, " ") {
		width := Columns(word)
		switch {
		case i == 0:
		case used+1+width > columns:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += width
	}
	return b.String()
}
