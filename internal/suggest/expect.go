// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// effective reports whether those tasks of a process that are in a domain are
// restricted in any right, as a rule asks for it on this host.
func effective(s *scan.Snapshot, p *scan.Process) access.Answer {
	x := policy.Expect{Partial: true}
	result, _, _ := x.Judge(s, p)
	return result.Met()
}

// expectationOf returns what is certain of all processes of a group, each of which is
// sandboxed and restricted in something, and what a reader must know of it.
func expectationOf(s *scan.Snapshot, g *group) (x policy.Expect, notes []string) {
	all, _ := s.SandboxOf(g.processes[0])
	for _, p := range g.processes[1:] {
		sandbox, _ := s.SandboxOf(p)
		all = all.And(sandbox)
	}
	// A depth that was concluded may be less after a restart of landlockd.
	if exact := all.Depth == all.MostDepth; exact && all.Depth > 1 && s.Source.Lineage == "known" {
		x.MinDepth = int(min(all.Depth, 16))
	}
	x.Restricts = grouped(all.Restricts.Sure)
	x.OutOfReach = keptFrom(s, &all)
	outside := g.outside(s)
	if len(x.OutOfReach) > 0 && outside != "" {
		x.OutOfReach = nil
		notes = append(notes, "out_of_reach is left out, as "+outside)
	}
	switch {
	case len(x.Restricts) == 0 && len(grouped(all.Restricts.May)) > 0:
		notes = append(notes, "restricts is left out, as no right is known to be restricted in "+
			"all: "+because(all.Doubt))
	case len(x.Restricts) > 0 && outside != "":
		x.Restricts = nil
		notes = append(notes, "restricts is left out, as "+outside)
	}
	return x, notes
}

// keptFrom returns the assets that the host has and that all tasks in a sandbox are kept from.
func keptFrom(s *scan.Snapshot, all *domainid.Sandbox) (kept []domainid.Asset) {
	for i := range s.Assets {
		if reach, _ := all.Reach.Of(i); reach == domainid.OutOfReach {
			kept = append(kept, s.Assets[i])
		}
	}
	return kept
}

func because(doubt domainid.Doubt) string { return strings.Join(doubt.Sentences(), ", ") }

// grouped returns rights as rules have them, in as few words as can be: "fs.make_*" where
// all rights are there that landlockd knows by such a name. Some of them the running kernel
// may lack, and then they are not there: so the rule holds on its successors, too.
func grouped(rights access.Rights) (words []string) {
	for _, right := range access.Of(rights) {
		if right.ABI == 0 { // others may have another name in the next version
			continue
		}
		class, rest, _ := strings.Cut(right.Name, ".")
		word := right.Name
		first, _, _ := strings.Cut(rest, "_")
		for _, glob := range [...]string{class + "." + first + "_*", class + ".*"} {
			of := access.Match(glob)
			all := !slices.ContainsFunc(of, func(r access.Right) bool { return !r.In(rights) })
			if len(of) > 1 && all {
				word = glob
			}
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// partial returns which threads of a group's partial processes are free.
func (g *group) partial(s *scan.Snapshot) string {
	var free []int32
	unknown, all := 0, 0
	for _, p := range g.processes {
		if p.State != scan.Partial {
			continue
		}
		for _, t := range s.TasksOf(p) {
			all++
			switch t.State {
			case scan.Unsandboxed:
				free = append(free, t.TID)
			case scan.Unknown:
				unknown++
			}
		}
	}
	text := fmt.Sprintf("partial: %d of %d threads of %s in no domain (TID %s)", len(free), all,
		plural.Count(g.states[scan.Partial], "process"), plural.First(free, maxNamed))
	if unknown > 0 {
		text += fmt.Sprintf(", and %d may be in none", unknown)
	}
	return text
}

// outside returns a note that workers of a group's processes may act outside of their
// domains; empty if none may.
func (g *group) outside(s *scan.Snapshot) string {
	has := func(answer access.Answer) int {
		return len(g.which(func(p *scan.Process) bool { return s.OutsideWorker(p) == answer }))
	}
	const worker = "a worker of the kernel (io_uring, vhost) may act outside of the domains"
	if n := has(access.Yes); n > 0 {
		return fmt.Sprintf("%s of %s", worker, g.some(n))
	}
	if n := has(access.Unknown); n > 0 {
		return fmt.Sprintf("it is not known of %s whether %s", g.some(n), worker)
	}
	return ""
}
