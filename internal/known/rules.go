// SPDX-License-Identifier: Apache-2.0

package known

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Rules writes a rule file (docs/rules.md) for the programs that were found: rules for those that
// sandbox here or should, and as comments, with the reason, for those that do not.
func Rules(w io.Writer, s *scan.Snapshot, r *Report) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Known programs that run or are installed here (%s, kernel %s), as rules for landlockd.\n",
		s.Time.UTC().Format(time.RFC3339), untrusted.Escape(s.Kernel.Release, 80, true))
	b.WriteString("# They ask for what is the same wherever the program runs: add what is so on your hosts.\n")
	active := 0
	var rules strings.Builder
	for i := range r.Programs {
		p := r.Programs[i].ofHost(s)
		mark := ""
		switch {
		case !p.Matches():
			fmt.Fprintf(&rules, "  # %s: nothing shows what it started: write rules for that\n", p.Name)
			continue
		case p.asks():
			active++
		default:
			mark = "# "
		}
		why := p.Verdict.String()
		if text := p.words(); text != "" {
			why += ": " + untrusted.EscapeWords(text, 0, true)
		}
		fmt.Fprintf(&rules, "  # %s\n  %s- name: %s\n", why, mark, p.Name)
		for line := range strings.Lines(p.RuleText(4)) {
			rules.WriteString("  " + mark + strings.TrimPrefix(line, "  "))
		}
	}
	b.WriteString("rules:")
	if active == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n" + rules.String())
	return b.Flush()
}

// ofHost returns the program as those processes show it that a rule is about. Others are not of
// the host's file: anybody may have made them, and by them have a rule left out.
func (p *Program) ofHost(s *scan.Snapshot) *Program {
	if p.Elsewhere == 0 {
		return p
	}
	own := &Program{Known: p.Known, Installed: p.Installed}
	own.countBy(p.evaluate(s, p.Match), s)
	if own.Processes.Total() == 0 && len(own.Installed) == 0 {
		return p
	}
	own.conclude(s)
	return own
}

// asks reports whether a rule for a program can be held here.
func (p *Program) asks() bool {
	switch p.Verdict {
	case Off, OtherVersion, Impossible, Launches:
		return false
	case Unknown: // as long as all are as they should be of which that is known
		return p.Processes.Sandboxed > 0 && p.Processes.Unsandboxed == 0
	case NotRunning:
		return p.ToDo == "" && len(p.Reasons) == 0
	default:
		return true
	}
}
