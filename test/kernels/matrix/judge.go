// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/kernels/protocol"
	"github.com/landlockd/landlockd/test/kernels/qemu"
)

// commandLine adds the checks to a boot's command line.
func commandLine(own string, checks []string) string {
	return strings.TrimSpace(own + " " + protocol.CommandLine + "=" + strings.Join(checks, ","))
}

// verdict is what came of one boot.
type verdict struct {
	// problems are empty if all went well.
	problems []string
	// passed and skipped name checks.
	passed, skipped []string
	lines           []protocol.Line
	// console is the file that the console was kept in.
	console string
}

func (v *verdict) ok() bool { return len(v.problems) == 0 }

// judge compares what a guest said with the checks that it was asked for: one
// that says nothing has failed.
func judge(o qemu.Outcome, err error, checks []string) *verdict {
	v := &verdict{lines: o.Lines}
	results := make(map[string][]protocol.Line)
	for _, l := range o.Lines {
		switch {
		case l.Kind == protocol.Result:
			results[l.Check] = append(results[l.Check], l)
		case l.Kind == protocol.Log && l.Check == "init":
			v.problems = append(v.problems, "init: "+l.Text)
		}
	}
	for _, c := range checks {
		name, _, _ := strings.Cut(c, ":")
		if len(results[name]) == 0 {
			v.problems = append(v.problems, name+": no result")
			continue
		}
		r := results[name][0]
		results[name] = results[name][1:]
		switch protocol.Status(r.Key) {
		case protocol.OK:
			v.passed = append(v.passed, name)
		case protocol.Skip:
			v.skipped = append(v.skipped, name+" ("+r.Text+")")
		default:
			v.problems = append(v.problems, name+": "+r.Text)
		}
	}
	if err != nil {
		v.problems = append(v.problems, err.Error())
	}
	return v
}

// print says what came of a boot, in one line if it went well.
func (v *verdict) print(w io.Writer, name, version string, took time.Duration, verbose bool) {
	word := "ok"
	if !v.ok() {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%-5s %-28s %-18s %5.1fs  %s\n", word, name, version, took.Seconds(), strings.Join(v.passed, " "))
	for _, s := range v.skipped {
		fmt.Fprintf(w, "      skipped %s\n", s)
	}
	for _, l := range v.lines {
		if l.Kind == protocol.Fact && (verbose || slices.Contains(shown, l.Key)) || l.Kind == protocol.Log && verbose {
			fmt.Fprintf(w, "      %s %s %s\n", l.Check, l.Key, indent(l.Text))
		}
	}
	for _, p := range v.problems {
		fmt.Fprintf(w, "      %s\n", indent(p))
	}
	if v.console != "" {
		fmt.Fprintf(w, "      console: %s\n", v.console)
	}
}

// shown are the facts that are always printed.
var shown = []string{"offset", "info", "truth", "churn", "same", "ids", "id_steps"}

func indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n          ")
}
