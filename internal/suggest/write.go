// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Write writes a rule file (docs/rules.md) for a snapshot, to stand beside one whose rules have
// the used names. All text of others in it is quoted; comments have ASCII only.
func Write(w io.Writer, s *scan.Snapshot, used []string) error {
	rules, todos, left := suggestions(s, used)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# What is sandboxed with Landlock on this host (%s, kernel %s), as rules for landlockd.\n", s.Time.UTC().Format(time.RFC3339), untrusted.Escape(s.Kernel.Release, 80, true))
	b.WriteString("# They ask for what is so now: look them over, and leave out what is not meant to last.\n")
	if slices.ContainsFunc(rules, func(r suggestion) bool { return r.kind == daemon }) {
		b.WriteString("# min_processes is for what always runs: take it from services that come and go.\n")
	}
	if len(s.Assets) > 0 {
		b.WriteString("# What out_of_reach names are assets of the configuration, which must stay there.\n")
	}
	listed := listed(todos)
	b.WriteString("rules:")
	if len(rules) == 0 && len(listed.ruled) == 0 {
		b.WriteString(" []")
	}
	b.WriteByte('\n')
	for i := range rules {
		rules[i].write(b)
	}
	if len(listed.ruled) > 0 {
		b.WriteString("\n# To do: these do not hold now. Take \"# \" from the lines of one once it should.\n")
	}
	for _, t := range listed.ruled {
		t.write(b)
	}
	if len(listed.others) > 0 {
		b.WriteString("\n# In no rule:\n")
	}
	for _, t := range listed.others {
		fmt.Fprintf(b, "# - %s: %s\n", untrusted.EscapeWords(t.label, maxLabel, true), t.why)
	}
	if left > 0 {
		fmt.Fprintf(b, "# ... and %d more\n", left)
	}
	return b.Flush()
}

// list is what there is to do: ruled are rules in comments.
type list struct{ ruled, others []todo }

// listed returns what there is to do as it is written.
func listed(todos []todo) (l list) {
	for _, t := range todos {
		if t.name != "" {
			l.ruled = append(l.ruled, t)
		} else {
			l.others = append(l.others, t)
		}
	}
	return l
}

// write writes a rule that does not hold, as comments.
func (t *todo) write(b *bufio.Writer) {
	fmt.Fprintf(b, "#   - name: %s # %s\n", scalar(t.name), t.why)
	fmt.Fprintf(b, "#     match: %s\n#     expect:\n#       state: [%s]\n", t.matching(), scan.Sandboxed)
	for _, line := range t.running() {
		fmt.Fprintf(b, "#     %s\n", line)
	}
}

func (r *suggestion) write(b *bufio.Writer) {
	fmt.Fprintf(b, "  - name: %s # %s\n", scalar(r.name), plural.Count(r.about, "process"))
	for _, note := range r.notes {
		fmt.Fprintf(b, "    # %s\n", note)
	}
	fmt.Fprintf(b, "    match: %s\n    expect:\n      state: [%s]\n", r.matching(), scan.Sandboxed)
	if r.expect.MinDepth > 0 {
		fmt.Fprintf(b, "      min_depth: %d\n", r.expect.MinDepth)
	}
	if len(r.expect.Restricts) > 0 {
		words := slices.Clone(r.expect.Restricts)
		for i, word := range words {
			if strings.Contains(word, "*") {
				words[i] = strconv.Quote(word)
			}
		}
		fmt.Fprintf(b, "      restricts: [%s]\n", strings.Join(words, ", "))
	}
	if len(r.expect.OutOfReach) > 0 {
		names := make([]string, len(r.expect.OutOfReach))
		for i := range names { // a recorded snapshot can have any names
			names[i] = strconv.QuoteToASCII(r.expect.OutOfReach[i].Name)
		}
		fmt.Fprintf(b, "      out_of_reach: [%s]\n", strings.Join(names, ", "))
	}
	for _, line := range r.running() {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

// scalar returns the name of a rule as YAML takes it for text: units and programs can be called
// 15, 1e5 or null.
func scalar(name string) string {
	var v any
	if err := yaml.Unmarshal([]byte(name), &v); err != nil || v != any(name) {
		return strconv.Quote(name)
	}
	return name
}

// matching returns a match as it is written.
func (at *place) matching() string {
	keys := make([]string, len(at.keys))
	for i, k := range at.keys {
		// The escapes of Go are among those of YAML's scalars in double quotes.
		keys[i] = fmt.Sprintf("%s: [%s]", k.Key, strconv.QuoteToASCII(k.pattern))
	}
	if at.match.Main != nil {
		keys = append(keys, fmt.Sprintf("main: %t", *at.match.Main))
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// running returns what is asked for of a unit that is started, and of one that always runs.
func (at *place) running() (lines []string) {
	if at.unit {
		lines = append(lines, "grace: "+startTime)
	}
	if at.kind == daemon {
		lines = append(lines, "min_processes: 1")
	}
	return lines
}

// startTime is how long a unit may take from the start of its process until that is sandboxed: what
// its configuration asks for is read before that, and a host that boots is busy.
const startTime = "30s"
