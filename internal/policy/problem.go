// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
)

// Problem is something wrong, or doubtful, at one place of a file.
type Problem struct {
	File string
	// Line and Column count from 1; 0 if it is about the whole file.
	Line, Column int
	Message      string
	// Cause is the error of reading that it comes from, or nil.
	Cause error
}

// String returns "file:line:column: message", on one line.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// with returns the place of a problem with another message.
func (p Problem) with(format string, args ...any) Problem {
	p.Message = fmt.Sprintf(format, args...)
	return p
}

// problem returns one of a rule.
func (r *Rule) problem(format string, args ...any) Problem {
	return Problem{File: r.File, Line: r.Line, Column: r.Column, Message: fmt.Sprintf(format, args...)}
}

// LoadError is all that is wrong with a configuration.
type LoadError struct{ Problems []Problem }

// maxShown is how many problems an error's text has.
const maxShown = 100

// Error has a line for each problem.
func (e *LoadError) Error() string {
	var lines []string
	for _, p := range e.Problems[:min(maxShown, len(e.Problems))] {
		lines = append(lines, p.String())
	}
	if more := len(e.Problems) - maxShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}
