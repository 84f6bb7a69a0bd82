// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Write writes a rule file (docs/rules.md) for a snapshot. All text of others in
// it is quoted; comments have ASCII only.
func Write(w io.Writer, s *scan.Snapshot) error {
	rules, todos := suggestions(s)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# What is sandboxed with Landlock on this host (%s, kernel %s), as rules for landlockd.\n", s.Time.UTC().Format(time.RFC3339), untrusted.Escape(s.Kernel.Release, 80, true))
	b.WriteString("# They ask for what is so now: look them over, and leave out what is not meant to last.\n")
	if len(s.Assets) > 0 {
		b.WriteString("# What out_of_reach names are assets of the configuration, which must stay there.\n")
	}
	b.WriteString("rules:")
	if len(rules) == 0 {
		b.WriteString(" []")
	}
	b.WriteByte('\n')
	for i := range rules {
		rules[i].write(b)
	}
	if len(todos) > 0 {
		b.WriteString("\n# To do:\n")
	}
	for i, t := range todos {
		if i == maxListed {
			fmt.Fprintf(b, "# ... and %d more\n", len(todos)-maxListed)
			break
		}
		fmt.Fprintf(b, "# - %s: %s\n", untrusted.EscapeWords(t.label, maxLabel, true), t.why)
	}
	return b.Flush()
}

func (r *suggestion) write(b *bufio.Writer) {
	fmt.Fprintf(b, "  - name: %s # %s\n", r.name, plural.Count(r.about, "process"))
	for _, note := range r.notes {
		fmt.Fprintf(b, "    # %s\n", note)
	}
	keys := make([]string, len(r.keys))
	for i, k := range r.keys {
		// The escapes of Go are among those of YAML's scalars in double quotes.
		keys[i] = fmt.Sprintf("%s: [%s]", k.Key, strconv.QuoteToASCII(k.pattern))
	}
	fmt.Fprintf(b, "    match: {%s}\n    expect:\n", strings.Join(keys, ", "))
	states := scan.Sandboxed.String()
	if r.expect.Partial {
		states += ", " + scan.Partial.String()
	}
	fmt.Fprintf(b, "      state: [%s]\n", states)
	if r.expect.Ineffective {
		b.WriteString("      effective: false\n")
	}
	if r.expect.MinDepth > 0 {
		fmt.Fprintf(b, "      min_depth: %d\n", r.expect.MinDepth)
	}
	if len(r.expect.Restricts) > 0 {
		fmt.Fprintf(b, "      restricts: [%s]\n", strings.Join(r.expect.Restricts, ", "))
	}
	if len(r.expect.OutOfReach) > 0 {
		names := make([]string, len(r.expect.OutOfReach))
		for i := range names { // a recorded snapshot can have any names
			names[i] = strconv.QuoteToASCII(r.expect.OutOfReach[i].Name)
		}
		fmt.Fprintf(b, "      out_of_reach: [%s]\n", strings.Join(names, ", "))
	}
}
