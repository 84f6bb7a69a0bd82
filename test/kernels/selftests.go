// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/vm/aptroot"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

// selftestsHead begins the page of results.
const selftestsHead = `# The kernel's own tests of Landlock, without landlockd and beside it

Written by ` + "`make test-selftests`" + `, a section for each kernel; what is tested and how is in
[test/kernels](../../test/kernels/README.md#the-kernels-own-tests).
`

// keepSelftests keeps what a guest states, unless one of its checks failed.
func (r *runner) keepSelftests(series, version string, lines []protocol.Line) []string {
	if slices.ContainsFunc(lines, func(l protocol.Line) bool {
		return l.Kind == protocol.Result && protocol.Status(l.Key) == protocol.Fail
	}) {
		return nil
	}
	r.page.Lock()
	defer r.page.Unlock()
	if err := recordSelftests(r.Selftests, series, version, lines); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// recordSelftests replaces a kernel's section of the page of results by what its guest
// stated. What it stated is part of tables: a name and two cells.
func recordSelftests(page, series, version string, facts []protocol.Line) error {
	text, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[name] = strings.TrimSpace(body)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Debian's %s, on %s.\n\n", version, time.Now().UTC().Format(time.DateOnly))
	b.WriteString("| program | without landlockd | beside it |\n|---|---|---|\n")
	for _, f := range textsOf(facts, "selftests") {
		fmt.Fprintf(&b, "| %s |\n", f)
	}
	b.WriteString("\n")
	for _, f := range textsOf(facts, "selftests_skipped") {
		bullet(&b, "skipped: "+f)
	}
	for _, f := range textsOf(facts, "selftests_failed") {
		bullet(&b, "failed, with and without: "+f)
	}
	for _, f := range textsOf(facts, "selftests_unsteady") {
		bullet(&b, "unsteady: "+f)
	}
	for _, f := range textsOf(facts, "stays") {
		bullet(&b, f)
	}
	sections[series] = strings.TrimSpace(b.String())
	var names []string
	for name := range sections {
		names = append(names, name)
	}
	slices.SortFunc(names, aptroot.CompareVersions)
	b.Reset()
	b.WriteString(selftestsHead)
	for _, name := range names {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", name, sections[name])
	}
	return os.WriteFile(page, []byte(b.String()), 0o644)
}

// bullet writes an entry of a list in lines of at most 100 columns.
func bullet(b *strings.Builder, text string) {
	line := "*"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

func textsOf(lines []protocol.Line, key string) []string {
	var texts []string
	for _, l := range lines {
		if l.Kind == protocol.Fact && l.Key == key {
			texts = append(texts, l.Text)
		}
	}
	return texts
}
