// SPDX-License-Identifier: Apache-2.0

package known

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// Report is what is known of a host.
type Report struct {
	// Programs are those that run or are installed, of Known that there are.
	Programs []Program
	Known    int
	// NotLooked is why it was not looked for all that may be installed; empty if it was.
	NotLooked string
}

// Text writes a row for each program, and below that why, and what to do:
//
//	PROGRAM   VERDICT      SANDBOXED  VERSION
//	suricata  off          0/1        7.0.10-1
//	suricata: 1 process is in no domain. To switch it on: …
func Text(w io.Writer, r *Report, style table.Style) error {
	if len(r.Programs) == 0 {
		return style.Lines(w, r.none()...)
	}
	t := table.Table{Style: style, Titles: []string{"PROGRAM", "VERDICT", "SANDBOXED", "VERSION"}}
	for i := range r.Programs {
		p := &r.Programs[i]
		sandboxed := "-"
		if n := p.Processes.Total(); n > 0 {
			sandboxed = fmt.Sprintf("%d/%d", p.Processes.Sandboxed, n)
		}
		t.Row(t.Name(p.Name), table.Cell{Text: p.Verdict.String(), Color: p.Verdict.color()},
			table.Text(sandboxed), t.Name(p.version()))
	}
	if err := t.Write(w); err != nil {
		return err
	}
	var lines []string
	for i := range r.Programs {
		if text := r.Programs[i].words(); text != "" {
			lines = append(lines, untrusted.EscapeWords(r.Programs[i].Name+": "+text, 0, style.ASCII))
		}
	}
	return style.Lines(w, slices.Concat(lines, r.below())...)
}

// none is what is said where no known program was found, which says nothing of others.
func (r *Report) none() []string {
	text := fmt.Sprintf("None known here: %s known, and none was seen to run or found installed.",
		plural.Are(r.Known, "program"))
	lines := []string{text, "Others may well sandbox themselves: landlockd services"}
	if r.NotLooked != "" {
		lines = append(lines, "Not all that may be installed was looked for: "+untrusted.OneLine(r.NotLooked))
	}
	return lines
}

func (r *Report) below() (lines []string) {
	if others := r.Known - len(r.Programs); others > 0 {
		lines = append(lines, fmt.Sprintf("Neither seen to run nor found installed: %s",
			plural.Count(others, "other known program")))
	}
	var untested []string
	for i := range r.Programs {
		if len(r.Programs[i].Tests) == 0 {
			untested = append(untested, r.Programs[i].Name)
		}
	}
	if len(untested) > 0 {
		lines = append(lines, "No test compares what is said of these with what they do: "+
			strings.Join(untested, ", "))
	}
	if r.NotLooked != "" {
		lines = append(lines, "Not all that may be installed was looked for: "+untrusted.OneLine(r.NotLooked))
	}
	return lines
}

// version returns the versions that are installed, "?" if one is not known.
func (p *Program) version() string {
	var all []string
	for _, at := range p.Installed {
		v := at.Version
		if v == "" {
			v = "?"
		}
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

// words returns why, and what to do; empty where there is nothing to say.
func (p *Program) words() string {
	parts := slices.Clone(p.Reasons)
	if len(p.PIDs) > 0 {
		parts = append(parts, "PID "+plural.First(p.PIDs, maxPIDs))
	}
	if p.ToDo != "" {
		how := "to switch it on: "
		if p.When == policy.Launcher {
			how = "to use it: "
		}
		parts = append(parts, how+p.ToDo)
	}
	return strings.Join(parts, "; ")
}

func (v Verdict) color() table.Color {
	switch v {
	case Sandboxed:
		return table.ByState("sandboxed")
	case Missing, OtherVersion, Off, Impossible:
		return table.ByState("unsandboxed")
	case Weaker, Partial:
		return table.ByState("partial")
	case Unknown:
		return table.ByState("unknown")
	default:
		return table.ByState("")
	}
}
