// SPDX-License-Identifier: Apache-2.0

package known

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Verdict is what a known program comes to on a host.
type Verdict uint8

const (
	// Missing: it is not sandboxed, though it should be.
	Missing Verdict = iota
	// Weaker: it is, and restricts less than is known of it.
	Weaker
	// Partial: it is in part: of its processes, or of their threads.
	Partial
	// Unknown: it is not known whether it is, or whether it should be.
	Unknown
	// Off: it is not, as nobody switched that on.
	Off
	// Impossible: this kernel sandboxes nothing.
	Impossible
	// OtherVersion: this version does not sandbox.
	OtherVersion
	// Sandboxed: it is as is known of it.
	Sandboxed
	// NotRunning: it is installed, and none of it is seen to run.
	NotRunning
	// Launches: it is a launcher, and no process shows that it came from it.
	Launches
)

var verdicts = enum.Words[Verdict]{
	"missing", "weaker", "partial", "unknown", "off", "impossible", "other_version", "sandboxed",
	"not_running", "launcher",
}

func (v Verdict) String() string { return verdicts.Of(v) }

// MarshalText encodes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Verdicts returns all words, the worst first.
func Verdicts() []string { return slices.Clone(verdicts) }

// Program is a known program that runs or is installed.
type Program struct {
	*policy.Known
	Verdict   Verdict
	Installed []Installed
	// Processes are those that should be sandboxed.
	Processes Counts
	// Elsewhere is how many of them run a file that is not the host's: that of a container, or
	// one that a user may have put there.
	Elsewhere int
	// PIDs are those of processes that are not as they should be, at most maxPIDs.
	PIDs []int32
	// Reasons are why, in words; ToDo is what can be done, empty if there is nothing.
	Reasons []string
	ToDo    string

	// free are those without a sandbox by whether their version should have one, an
	// access.Answer; weak is why the last one that is Weaker is.
	free [3]int
	weak policy.Reason
}

// Counts are processes of one program by what is found of them.
type Counts struct {
	// Sandboxed are as they should be; Weaker restrict less.
	Sandboxed, Weaker, Partial, Unsandboxed int
	// Unknown are those of which that is not known, or not whether they are the program's;
	// Starting are too young to be judged.
	Unknown, Starting int
}

// Total is the number of processes.
func (c Counts) Total() int {
	return c.Sandboxed + c.Weaker + c.Partial + c.Unsandboxed + c.Unknown + c.Starting
}

const (
	maxPIDs = 8
	// grace is how old a process is before it must be in its sandbox.
	grace = 10 * time.Second
)

// Judge returns the programs that run in a snapshot or are installed, the worst first.
func Judge(s *scan.Snapshot, programs []policy.Known, installed map[string][]Installed) []Program {
	var all []Program
	for i := range programs {
		p := Program{Known: &programs[i], Installed: installed[programs[i].Name]}
		if p.Matches() {
			p.count(s)
		}
		if p.Processes.Total() == 0 && len(p.Installed) == 0 {
			continue
		}
		p.conclude(s)
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b Program) int {
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), strings.Compare(a.Name, b.Name))
	})
	return all
}

// evaluate finds the processes that a match means.
func (p *Program) evaluate(s *scan.Snapshot, match policy.Match) *policy.Evaluation {
	c := policy.Default()
	c.Rules = []policy.Rule{{Name: p.Name, Match: match, Expect: p.Expect, Grace: grace}}
	// What is partial is to be seen as that.
	c.Rules[0].Expect.Partial = false
	return policy.New(c, policy.Options{}).Evaluate(s)
}

// count counts the processes of a program: wherever its file is, as it runs in containers, too.
// What it says is no more than what the path says: no rule rests on it.
func (p *Program) count(s *scan.Snapshot) {
	anywhere := p.Match
	anywhere.AnyMountNS = len(anywhere.Patterns[policy.KeyExe])+
		len(anywhere.Patterns[policy.KeyAncestorExe]) > 0
	result := p.evaluate(s, anywhere)
	p.Elsewhere = len(result.About) - len(p.evaluate(s, p.Match).About)
	p.countBy(result, s)
}

// countBy counts the processes that an evaluation of a snapshot is about.
func (p *Program) countBy(result *policy.Evaluation, s *scan.Snapshot) {
	for i := range result.Rules {
		r := &result.Rules[i]
		n := &p.Processes
		n.Sandboxed += r.Processes[policy.Compliant]
		n.Starting += r.Processes[policy.Starting]
		n.Unknown += r.Processes[policy.Unknown]
		for _, v := range r.Violations {
			switch v.Reason {
			case policy.Unsandboxed, policy.LandlockDisabled:
				n.Unsandboxed += v.Processes
			case policy.Partial:
				n.Partial += v.Processes
			default:
				n.Weaker += v.Processes
				p.weak = v.Reason
			}
		}
	}
	left := p.Processes.Unsandboxed
	for _, v := range result.Violators {
		if len(p.PIDs) < maxPIDs {
			p.PIDs = append(p.PIDs, v.PID)
		}
		free := slices.ContainsFunc(v.Verdicts, func(v policy.Verdict) bool {
			return v.Reason == policy.Unsandboxed || v.Reason == policy.LandlockDisabled
		})
		if free {
			p.free[sandboxes(p.Known, p.versionOf(s, v.PID))]++
			left--
		}
	}
	p.free[access.Unknown] += max(0, left) // more than are listed
	slices.Sort(p.PIDs)
}

// maxAbove is how far above a process its program is looked for.
const maxAbove = 32

// versionOf returns the version of the program that a process is of, or was started by; empty if
// it is not known.
func (p *Program) versionOf(s *scan.Snapshot, pid int32) string {
	for range maxAbove {
		of := s.Find(pid)
		if of == nil {
			return ""
		}
		for _, at := range p.Installed {
			if of.ExeOrigin != scan.OfHost || of.ExeCut {
				break // what started it may still be the host's
			}
			if of.Exe == at.Path || p.NPM != "" && strings.HasPrefix(of.Exe, at.Path+"/") {
				if of.ExeDeleted {
					return "" // it was another one
				}
				return at.Upstream
			}
		}
		if p.Who != policy.Child {
			return ""
		}
		pid = of.PPID
	}
	return ""
}
