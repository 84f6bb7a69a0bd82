// SPDX-License-Identifier: Apache-2.0

// Package verdict judges what a guest said.
package verdict

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/kernels/protocol"
	"github.com/landlockd/landlockd/test/kernels/qemu"
)

// CommandLine adds the checks that a guest is to run to its kernel's command line.
func CommandLine(own string, checks []string) string {
	return strings.TrimSpace(own + " " + protocol.CommandLine + "=" + strings.Join(checks, ","))
}

// Verdict is what came of one boot.
type Verdict struct {
	// Problems are empty if all went well.
	Problems []string
	// Passed and Skipped name checks.
	Passed, Skipped []string
	// Again: the first boot ended before /init.
	Again bool
	// Console is the file that the console was kept in.
	Console string

	lines []protocol.Line
}

// OK tells whether nothing was amiss.
func (v *Verdict) OK() bool { return len(v.Problems) == 0 }

// Judge compares what a guest said with the checks that it was asked for: one
// that says nothing has failed.
func Judge(o qemu.Outcome, err error, checks []string) *Verdict {
	v := &Verdict{lines: o.Lines, Again: o.Lost != nil}
	results := make(map[string][]protocol.Line)
	for _, l := range o.Lines {
		switch {
		case l.Kind == protocol.Result:
			results[l.Check] = append(results[l.Check], l)
		case l.Kind == protocol.Log && l.Check == "init":
			v.Problems = append(v.Problems, "init: "+l.Text)
		}
	}
	for _, c := range checks {
		name, _, _ := strings.Cut(c, ":")
		if len(results[name]) == 0 {
			v.Problems = append(v.Problems, name+": no result")
			continue
		}
		r := results[name][0]
		results[name] = results[name][1:]
		switch protocol.Status(r.Key) {
		case protocol.OK:
			v.Passed = append(v.Passed, name)
		case protocol.Skip:
			v.Skipped = append(v.Skipped, name+" ("+r.Text+")")
		default:
			v.Problems = append(v.Problems, name+": "+r.Text)
		}
	}
	if err != nil {
		v.Problems = append(v.Problems, err.Error())
	}
	return v
}

// Print says what came of a boot, in one line if it went well. Facts whose key is
// in shown are always printed, and known faults of the kernel.
func (v *Verdict) Print(w io.Writer, name, version string, took time.Duration, verbose bool, shown ...string) {
	word := "ok"
	if !v.OK() {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%-5s %-28s %-18s %5.1fs  %s\n", word, name, version, took.Seconds(), strings.Join(v.Passed, " "))
	if v.Again {
		fmt.Fprintf(w, "      second try: in the first the kernel did not come to /init\n")
	}
	for _, s := range v.Skipped {
		fmt.Fprintf(w, "      skipped %s\n", s)
	}
	for _, l := range v.lines {
		if l.Kind == protocol.Fact && (verbose || l.Key == protocol.KnownFault || slices.Contains(shown, l.Key)) || l.Kind == protocol.Log && verbose {
			fmt.Fprintf(w, "      %s %s %s\n", l.Check, l.Key, Indent(l.Text))
		}
	}
	for _, p := range v.Problems {
		fmt.Fprintf(w, "      %s\n", Indent(p))
	}
	if v.Console != "" {
		fmt.Fprintf(w, "      console: %s\n", v.Console)
	}
}

// Indent lines up the lines of a text below the first.
func Indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n          ")
}
