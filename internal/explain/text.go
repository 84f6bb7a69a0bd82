// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bufio"
	"fmt"
	"io"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// Bounds of what text has; JSON has all.
const (
	maxSandboxes = 8
	maxFiles     = 24
	maxDomains   = 16
	maxDenials   = 10
	maxEnded     = 10
	maxRules     = 24
)

// Text writes the explanation for people. ascii: the terminal has no UTF-8. width is
// that of the terminal in columns, 0 if lines stay whole.
func (e *Explanation) Text(w io.Writer, ascii bool, width int) error {
	t := &textWriter{
		Writer: bufio.NewWriter(w), e: e, ascii: ascii, width: width,
		forest: e.Snapshot.Forest(),
	}
	t.line("%s\n", e.Summary(t.escape))
	t.process()
	t.whole()
	t.workers()
	t.first(maxSandboxes, len(e.Sandboxes), "%d more sandboxes: -o json has them", func(i int) {
		t.sandbox(&e.Sandboxes[i])
	})
	t.assets()
	if e.Denials != nil {
		t.denials(e.Denials)
	}
	t.rules()
	if e.Sockets != nil {
		t.sockets(e.Sockets)
	}
	t.beside()
	t.before()
	if e.By != "" {
		t.line("\n%s", untrusted.EscapeWords(e.By, 0, ascii))
	}
	return t.Flush()
}

type textWriter struct {
	*bufio.Writer
	e     *Explanation
	ascii bool
	width int

	forest *domainid.Forest
}

// line writes one line. What is put into it is escaped already.
func (t *textWriter) line(format string, a ...any) {
	t.WriteString(untrusted.Wrap(fmt.Sprintf(format+"\n", a...), t.width))
}

// first writes the first of n things, and how many more there are than most.
func (t *textWriter) first(most, n int, more string, write func(i int)) {
	for i := range min(n, most) {
		write(i)
	}
	if n > most {
		t.line(more, n-most)
	}
}

// some returns words for the first of all, and how many more there are than most.
func some[T any](all []T, most int, word func(T) string) []string {
	var words []string
	for _, one := range all[:min(most, len(all))] {
		words = append(words, word(one))
	}
	if more := len(all) - most; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return words
}

func (t *textWriter) name(text string) string {
	if text == "" {
		return "not known"
	}
	return t.escape(text)
}

func (t *textWriter) escape(text string) string {
	return untrusted.Fixed(untrusted.Escape(text, 0, t.ascii))
}

// plain lets words through as they are, and quotes anything else.
func plain(text string) string {
	if escaped := untrusted.EscapeWords(text, 0, true); escaped != text {
		return untrusted.Fixed(escaped)
	}
	return text
}
