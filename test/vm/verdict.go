// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// commandLine adds the checks that a guest is to run to its kernel's command line.
func commandLine(own string, checks []string) string {
	return strings.TrimSpace(own + " " + protocol.CommandLine + "=" + strings.Join(checks, ","))
}

// verdict is what came of one boot.
type verdict struct {
	// problems are empty if all went well.
	problems []string
	// passed and skipped name checks.
	passed, skipped []string
	// again: the first boot ended before /init.
	again bool
	// slow names the checks of which the guest says that they could not keep their pace.
	slow []string
	// console is the file that the console was kept in.
	console string

	lines []protocol.Line
}

// ok reports whether nothing was amiss.
func (v *verdict) ok() bool { return len(v.problems) == 0 }

// tooSlow reports whether something was amiss, and all of it in checks that could not keep
// their pace.
func (v *verdict) tooSlow() bool {
	for _, p := range v.problems {
		if name, _, _ := strings.Cut(p, ":"); !slices.Contains(v.slow, name) {
			return false
		}
	}
	return !v.ok()
}

// judge compares what a guest said with the checks that it was asked for: one
// that says nothing has failed.
func judge(o outcome, err error, checks []string) *verdict {
	v := &verdict{lines: o.lines, again: o.lost != nil}
	results := make(map[string][]protocol.Line)
	for _, l := range o.lines {
		switch {
		case l.Kind == protocol.Result:
			results[l.Check] = append(results[l.Check], l)
		case l.Kind == protocol.Log && l.Check == "init":
			v.problems = append(v.problems, "init: "+l.Text)
		case l.Kind == protocol.Fact && l.Key == protocol.TooSlow:
			v.slow = append(v.slow, l.Check)
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

// print says what came of a boot, in one line if it went well. Facts whose key is
// in shown are always printed, and known faults of the kernel.
func (v *verdict) print(w io.Writer, name, version string, took time.Duration, verbose bool, shown ...string) {
	word := "ok"
	if !v.ok() {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%-5s %-28s %-18s %5.1fs  %s\n", word, name, version, took.Seconds(), strings.Join(v.passed, " "))
	if v.again {
		fmt.Fprintf(w, "      second try: in the first the kernel did not come to /init\n")
	}
	for _, s := range v.skipped {
		fmt.Fprintf(w, "      skipped %s\n", s)
	}
	for _, l := range v.lines {
		if l.Kind == protocol.Fact && (verbose || l.Key == protocol.KnownFault || l.Key == protocol.TooSlow || slices.Contains(shown, l.Key)) || l.Kind == protocol.Log && verbose {
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

// indent lines up the lines of a text below the first.
func indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n          ")
}
