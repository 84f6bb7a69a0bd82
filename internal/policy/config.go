// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
)

// Config is one configuration: the rules of its main file and of all rule files
// together. It is not changed once it was loaded.
type Config struct {
	// Rules stand in the order of Files, and of each file.
	Rules []Rule
	// Exempt are the processes that no rule is about.
	Exempt   []Match
	Defaults Defaults
	// Assets are what matters on hosts, of all files, in the order of Rules: at most
	// domainid.MaxAssets.
	Assets []domainid.Asset
	// Files are the files that were read, the main one first.
	Files []string
	// Patterns are the rule_files of the main file, absolute: a change in
	// their directories may change the rules.
	Patterns []string
	// Hash differs between configurations by the contents of their files. It has
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
	// ShortRunsViolate: so does one that ended earlier, if it was not as expected when it
	// did. Otherwise it is counted, and no more.
	ShortRunsViolate bool
	Severity         string
	// Accept is nil, or accepts all violations of the rule for some time.
	Accept *Accept
	// File, Line and Column are where the rule stands.
	File         string
	Line, Column int
}

// Match is which processes are meant: those for which every key that is given
// holds. A key holds if one of its items does.
type Match struct {
	// Patterns are by [Key]; empty of a key that is not given.
	Patterns [numPatterns][]Pattern
	UID      []UIDRange
	// Main is nil, or whether the process's parent must be outside its workload.
	Main *bool
	// AnyMountNS lets exe, ancestor_exe and comm match where any user may have
	// chosen them.
	AnyMountNS bool
	// Accept is nil, or makes of an item of a rule's except a waiver: while it is in force
	// violations of these processes are accepted, and afterwards none is let out.
	Accept *Accept
	// ancestry is its number among all matches of the configuration that have
	// KeyAncestorExe.
	ancestry int
}

// UIDRange is the user IDs from First to Last, both included.
type UIDRange struct{ First, Last uint32 }

// Default returns a configuration without rules.
func Default() *Config {
	return &Config{Defaults: Defaults{Grace: 10 * time.Second, Severity: "warning"}}
}

// UsesCmdline reports whether a rule looks at command lines.
func (c *Config) UsesCmdline() bool {
	return slices.ContainsFunc(c.Rules, func(r Rule) bool { return r.usesCmdline() })
}

func (r *Rule) usesCmdline() bool {
	asks := func(m Match) bool { return m.has(KeyCmdline) }
	return asks(r.Match) || slices.ContainsFunc(r.Except, asks)
}
