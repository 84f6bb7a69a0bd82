// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// Config is one configuration: the rules of its main file and of all rule files
// together. It is not changed once it was loaded.
type Config struct {
	// Rules stand in the order of Files, and of each file.
	Rules []Rule
	// Exempt are the processes that no rule is about.
	Exempt   []Match
	Defaults Defaults
	// Files are the files that were read, the main one first.
	Files []string
	// Patterns are the rule_files of the main file, absolute: a change in
	// their directories may change the rules.
	Patterns []string
	// Hash tells configurations apart by the contents of their files. It has
	// 48 bits, so that a metric can hold it.
	Hash uint64
	// Warnings are about rules that are valid but rest on what a process can
	// choose, or can never apply.
	Warnings []Problem
}

// Defaults are what a rule has where it sets nothing else.
type Defaults struct {
	Grace    time.Duration
	Severity string
}

// Severities returns the words for how bad a violation is, from least to worst.
func Severities() []string { return []string{"info", "warning", "critical"} }

// Rule is one expectation of the processes that it is about.
type Rule struct {
	// Name is unique: [a-z0-9_-]{1,63}.
	Name   string
	Match  Match
	Except []Match
	Expect Expect
	// Grace is how old a process is before it can violate the rule.
	Grace time.Duration
	// MinProcesses is how many processes there must be.
	MinProcesses int
	Severity     string
	// File, Line and Column are where the rule stands.
	File         string
	Line, Column int
}

// Match is which processes are meant: those for which every key that is given
// holds. A key holds if one of its items does.
type Match struct {
	Unit, Slice, Container, Namespace, Pod, Exe, Comm, Cmdline, Cgroup []Pattern
	// AncestorExe is about the executables of its parent, of that one's parent
	// and so on; ancestry is its number among all matches of the configuration
	// that look at those.
	AncestorExe []Pattern
	ancestry    int
	UID         []UIDRange
	// Main is nil, or whether the process's parent must be outside its workload.
	Main *bool
	// AnyMountNS lets Exe, AncestorExe and Comm match where any user may have
	// chosen them.
	AnyMountNS bool
}

// UIDRange is the user IDs from First to Last, both included.
type UIDRange struct{ First, Last uint32 }

// Expect is how a process must be.
type Expect struct {
	// Free: it must be [scan.Unsandboxed]. Nothing else is asked for then.
	Free bool
	// Partial: it may be [scan.Partial]. Otherwise [scan.Sandboxed] alone is right.
	Partial bool
	// Ineffective: it may be restricted in no right.
	Ineffective bool
	// MinDepth is the least depth of its tasks that are in a domain.
	MinDepth int
	// MaxDepth is the greatest depth of its tasks; 0 if any is right.
	MaxDepth int
	// Restricts are names and globs of rights. Each of its tasks that is in a
	// domain must have a layer that handles the right and grants it neither
	// everywhere nor, for ports, without limit.
	Restricts []string
	// OldKernel is what follows of a right that the running kernel does not have.
	OldKernel OldKernel
	// OutsideWorkers is what follows, if Restricts asks for something, of a worker
	// that may act outside of the process's domains.
	OutsideWorkers OutsideWorkers
}

// Allows reports whether a state is right.
func (x *Expect) Allows(s scan.State) bool {
	if x.Free {
		return s == scan.Unsandboxed
	}
	return s == scan.Sandboxed || s == scan.Partial && x.Partial
}

// OldKernel is what follows if a kernel lacks a right that a rule names.
type OldKernel uint8

const (
	// Skip: that right is not asked for.
	Skip OldKernel = iota
	// Violate: every process violates the rule.
	Violate
)

func (o OldKernel) String() string {
	if o == Violate {
		return "violation"
	}
	return "skip"
}

// OutsideWorkers is what follows if a worker of a process may act outside of the
// process's domains: what they restrict does not hold for it.
type OutsideWorkers uint8

const (
	// OutsideUnknown: it is unknown whether the process complies.
	OutsideUnknown OutsideWorkers = iota
	// OutsideViolates: the process violates the rule.
	OutsideViolates
	// OutsideAllowed: nothing.
	OutsideAllowed
)

// outsideWorkers are the words, by value. It is never written.
var outsideWorkers = [...]string{"unknown", "violation", "allow"}

func (o OutsideWorkers) String() string { return outsideWorkers[o%3] }

// Default returns a configuration without rules.
func Default() *Config {
	return &Config{Defaults: Defaults{Grace: 10 * time.Second, Severity: "warning"}}
}

// UsesCmdline reports whether a rule looks at command lines.
func (c *Config) UsesCmdline() bool {
	return slices.ContainsFunc(c.Rules, func(r Rule) bool { return r.usesCmdline() })
}

func (r *Rule) usesCmdline() bool {
	return len(r.Match.Cmdline) > 0 || slices.ContainsFunc(r.Except, func(m Match) bool { return len(m.Cmdline) > 0 })
}
