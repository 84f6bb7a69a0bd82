// SPDX-License-Identifier: Apache-2.0

// Package lazyregexp compiles regular expressions at their first use: most commands have no use for
// most of them.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns an expression, one of this program's own. It panics if that
// cannot be compiled.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
