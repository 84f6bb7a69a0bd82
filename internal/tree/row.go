// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/scan"
)

// Row is what a list has of a process, in words.
type Row struct {
	State, Depth, Domain, Restricts string
	// Workload is its name, which others chose; "-" if there is none.
	Workload string
}

// Rows returns a function that returns the row of the process at a place.
func Rows(s *scan.Snapshot) func(i int32) Row {
	letters, reader := facts.Letters(s.Kernel.Rights), facts.NewReader(s)
	return func(i int32) Row {
		p := &s.Processes[i]
		f := reader.Read(i)
		r := Row{
			State: facts.StateWord(p.State, s.Ineffective(p)), Depth: depthsText(p, f),
			Domain: domainText(s, p, f), Restricts: "-", Workload: "-",
		}
		if sandbox, inside := s.SandboxOf(p); inside {
			r.Restricts = letters(sandbox.Restricts)
		} else if p.State == scan.Unknown {
			r.Restricts = "?"
		}
		if of := s.WorkloadOf(p); of != nil {
			r.Workload = of.Name
		}
		return r
	}
}

// Command returns the name of a process, and its executable unless that is called so, fit to
// be shown.
func Command(p *scan.Process) string { return Options{}.command(p, 0) }
