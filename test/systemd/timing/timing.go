// SPDX-License-Identifier: Apache-2.0

// Package timing has the durations by which landlockd is watched in a guest: those
// of the mixin (deploy/prometheus/mixin/config.libsonnet), shortened, and those of
// Prometheus and Alertmanager. The files are rendered by them on this side, and
// judged by them in the guest.
package timing

import (
	"fmt"
	"strings"
	"time"
)

const (
	// Scrape is the time from scrape to scrape, and from evaluation to evaluation.
	Scrape = 5 * time.Second

	// Grace is that of the guest's rules.
	Grace = 4 * time.Second
	// Rule and RuleFor are the window of LandlockRuleViolated and its "for".
	Rule    = 8 * Scrape
	RuleFor = 2 * Scrape

	// RunScrape is the time from scrape to scrape where what runs between two of them is
	// looked for, and RunGrace the grace of a rule about it.
	RunScrape = 2 * Scrape
	RunGrace  = time.Second
	// Broken is how long LandlockRuleBroken lasts.
	Broken = 18 * Scrape

	// TextfilePause is between two runs of the timer.
	TextfilePause = 8 * time.Second
	// TextfileAge and TextfileFor are how old a textfile has to be for
	// LandlockdTextfileStale, and its "for".
	TextfileAge = 40 * time.Second
	TextfileFor = Scrape

	// GroupWait and GroupInterval are how long Alertmanager waits for more of a
	// group, before the first notification and before others.
	GroupWait     = time.Second
	GroupInterval = 2 * time.Second

	// Allowance is for the work itself on an emulated machine: a scrape, an
	// evaluation, what is sent. All waiting is in the terms above.
	Allowance = 12 * time.Second
)

// Times until a notification arrives, at most. Two of Scrape: up to one passes
// until the next scrape, and up to one from the scrape that decides to the next
// evaluation. "For" is a multiple of it, and so adds nothing.
const (
	// ViolatedWithin counts from the start of a process that violates a rule.
	ViolatedWithin = Grace + Rule/2 + RuleFor + 2*Scrape + GroupWait + Allowance
	// MendedWithin counts from the start of one that does not.
	MendedWithin = Rule/2 + 2*Scrape + GroupInterval + Allowance
	// BrokenWithin counts from the end of a run that breaks a rule, and WholeWithin from the
	// end of the last one.
	BrokenWithin = RunScrape + Scrape + GroupWait + Allowance
	WholeWithin  = Broken + Scrape + GroupInterval + Allowance
	// StaleWithin counts from the last scan that was written.
	StaleWithin = TextfileAge + TextfileFor + Scrape + GroupWait + Allowance
	// FreshWithin counts from the next scan that was written.
	FreshWithin = 2*Scrape + GroupInterval + Allowance
)

// Config is what render.sh gets. Alerts that have to be silent have windows that are
// as short: they would have the time to be wrong. It leaves LandlockCoverageDropped,
// which looks back a week.
func Config() string {
	var b strings.Builder
	duration := func(name string, d time.Duration) { fmt.Fprintf(&b, "%s: %q, ", name, d) }
	duration("ruleWindow", Rule)
	duration("ruleFor", RuleFor)
	duration("manyHostsFor", RuleFor-Scrape)
	for _, name := range []string{"settle", "disabled", "down", "scan", "reload"} {
		duration(name+"Window", Rule)
		duration(name+"For", Scrape)
	}
	// Of a rule that is new one scrape of two is half of its window, and in a busy moment
	// processes change: that has to last as long as some scrapes, where they are rare, too.
	duration("unknownWindow", 2*Rule)
	duration("unknownFor", 3*RunScrape)
	duration("settleRunsWindow", 2*Rule)
	duration("brokenWindow", Broken)
	duration("brokenUnless", Broken+Rule)
	duration("factWindow", 3*Scrape)
	duration("hostsMissingFor", 6*Scrape)
	duration("textfileFor", TextfileFor)
	fmt.Fprintf(&b, "textfileMaxAge: %d", int(TextfileAge.Seconds()))
	return "{" + b.String() + "}"
}
