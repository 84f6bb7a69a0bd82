// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"
)

// says is what a rule has to say, as metrics.
type says struct {
	rule, severity string
	// compliant and violating are numbers of processes; none is starting or unknown.
	compliant, violating int
	violated             bool
	// reason and workload are those of its one violation, if there is one.
	reason, workload string
}

// tooFew is the one missing process of a rule that needs one.
func tooFew(rule string) says {
	return says{rule: rule, severity: "warning", violated: true, reason: "too_few"}
}

func all(rule, severity string, compliant int) says {
	return says{rule: rule, severity: severity, compliant: compliant}
}

func bad(rule string, compliant, violating int, reason, workload string) says {
	return says{rule, "warning", compliant, violating, true, reason, workload}
}

// steady is what rules have to say of the services that checkServices starts.
// The rules "never" and "escape" say nothing: they were about nothing so far, and
// need nothing.
var steady = []says{
	bad("instances", 1, 1, "unsandboxed", "t-inst@.service"),
	all("own-slice", "warning", 1),
	// A service with a mount namespace, and one that also has a user namespace: whose
	// word its path is, nobody can say.
	all("hardened", "warning", 1),
	all("hardened-anywhere", "warning", 2),
	all("delegated", "warning", 3),
	all("forking", "warning", 1),
	bad("forking-main", 0, 1, "unsandboxed", "t-fork.service"),
	bad("shallow", 0, 1, "too_shallow", "t-shallow.service"),
	all("deep", "warning", 1),
	bad("weak", 0, 1, "right_not_restricted", "t-weak.service"),
	bad("partial", 0, 1, "partial", "t-partial.service"),
	all("partial-allowed", "warning", 1),
	all("victim", "critical", 1),
	tooFew("absent"),
	tooFew("absent-exe"),
	tooFew("leave"),
	all("guarded", "warning", 1),
	all("guarded-comm", "warning", 1),
	all("guarded-anywhere", "warning", 1),
	all("prod-web", "warning", 1),
	all("user-unit", "warning", 1),
	// The manager of user 1001 and its helper.
	{rule: "untrusted", severity: "info", violating: 2, violated: true, reason: "unsandboxed", workload: "user@/init.scope"},
	all("plain", "critical", 1),
}

// pageOf returns the series of landlock_rule_* of processes that are there.
func pageOf(rules []says) page {
	p := make(page)
	for _, r := range rules {
		for result, n := range map[string]int{"compliant": r.compliant, "violating": r.violating, "starting": 0, "unknown": 0} {
			p[fmt.Sprintf("landlock_rule_processes{result=%q,rule=%q}", result, r.rule)] = float64(n)
		}
		p[fmt.Sprintf("landlock_rule_violated{rule=%q,severity=%q}", r.rule, r.severity)] = 0
		if r.violated {
			p[fmt.Sprintf("landlock_rule_violated{rule=%q,severity=%q}", r.rule, r.severity)] = 1
			p[violation(r.reason, r.rule, r.workload)] = float64(max(r.violating, 1))
			p[fmt.Sprintf("%s{rule=%q,severity=%q}", violatingSince, r.rule, r.severity)] = plausible
		}
	}
	return p
}

// violatingSince has a time, which is another one at each start.
const violatingSince = "landlock_rule_violating_since_timestamp_seconds"

// plausible stands for such a time, if it is one since the machine was booted.
const plausible = -1

// ofRules returns what a page has of rules, with plausible for each time that is.
func ofRules(t *T, p page) page {
	rules, clock := p.With("landlock_rule_"), float64(time.Now().Unix())
	booted := clock - now(t).Seconds() - 1
	for series, since := range rules.With(violatingSince) {
		if since >= booted && since <= clock {
			rules[series] = plausible
		}
	}
	return rules
}

// ofLive returns what a page has of pageOf: all but what rules say of processes that ended.
func ofLive(t *T, p page) page {
	live := ofRules(t, p)
	for series := range live {
		if strings.HasPrefix(series, "landlock_rule_runs_total{") ||
			strings.HasPrefix(series, "landlock_rule_last_broken_") {
			delete(live, series)
		}
	}
	return live
}

func violation(reason, rule, workload string) string {
	return fmt.Sprintf("landlock_rule_violations{reason=%q,rule=%q,workload=%q}", reason, rule, workload)
}

// checkRules compares what every rule says with what it should.
func (h *host) checkRules(t *T) {
	pastGrace(t)
	p := h.scrape(t)
	if d := ofLive(t, p).Diff(pageOf(steady)); d != "" {
		t.Errorf("rules:\n%s", d)
	}
	loaded := len(steady) + 2
	want := page{
		`landlockd_rules{status="loaded"}`: float64(loaded),
		// The two that say nothing did not apply, nor did those that miss a process.
		`landlockd_rules{status="applied"}`:       float64(loaded - 5),
		`landlockd_config_last_reload_successful`: 1,
	}
	for series, v := range want {
		if p[series] != v {
			t.Errorf("%s is %v, want %v", series, p[series], v)
		}
	}
	t.Fact("info", fmt.Sprintf("%d rules, %d series of landlock_rule_*, %d workloads in %s", loaded, len(p.With("landlock_rule_")),
		len(p.With("landlock_workload_processes"))/2, time.Duration(p["landlockd_scan_duration_seconds"]*float64(time.Second)).Round(time.Millisecond)))
}

// pastGrace waits until every process is as old as rules want, but those of the
// rule about the victim.
func pastGrace(t *T) {
	var youngest process
	for _, p := range processes(t) {
		if p.start > youngest.start {
			youngest = p
		}
	}
	untilAge(t, youngest, grace+10*time.Millisecond)
}
