// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// runbooks is where an alert says that its page is.
const runbooks = "https://github.com/landlockd/landlockd/blob/main/docs/runbooks/"

// violatedTold is the notification that people must get when the store has no sandbox. More
// than half of the scrapes: that is what the alert is about.
func violatedTold(status string) expectation {
	return expectation{
		status: status,
		labels: map[string]string{
			"alertname": "LandlockRuleViolated", "cluster": "home", "instance": "guest:10644", "job": "landlockd",
			"rule": "records", "severity": "critical",
		},
		runbook: runbooks + "LandlockRuleViolated.md",
		summary: "Rule records is violated on guest:10644.",
		description: regexp.MustCompile(`^On guest:10644 rule records was violated in (5\d\.[0-9]+|[6-9]\d(\.[0-9]+)?|100)% of the scrapes of the last ` +
			timing.Rule.String() + `\. Workloads, reasons, processes: store\.service: unsandboxed \(1\)\.$`),
	}
}

// ruleSeries returns what Prometheus has to have of the watched services' rules, by
// the job and the instance that they come from.
func ruleSeries(job, instance string) page {
	p := make(page)
	for _, w := range watched {
		p[series(map[string]string{
			"__name__": "landlock_rule_violated", "cluster": "home", "instance": instance, "job": job, "rule": w.rule, "severity": w.severity,
		})] = 0
	}
	return p
}

// checkAlert takes the sandbox of one service away, as an administrator could, and
// gives it back. Who has to know is notified in time, and of nothing else.
func (h *host) checkAlert(t *T) {
	var rule struct{ Groups []ruleGroup }
	t.Must(ask("rules", nil, &rule))
	if err := hasTiming(rule.Groups); err != nil {
		t.Fatalf("%v", err)
	}
	calm := func(when string) {
		if err := evaluated(ruleFiles...); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		got, err := query("landlock_rule_violated")
		t.Must(err)
		if d := got.Diff(ruleSeries("landlockd", "guest:10644")); d != "" {
			t.Errorf("%s:\n%s", when, d)
		}
	}
	calm("before the silence")
	// As long as an alert may take: one that cries wolf would be heard.
	time.Sleep(timing.ViolatedWithin)
	calm("after the silence")
	h.inbox.expect(t, "all is well")
	onlyFired(t, "all is well")

	const dropIn = "/etc/systemd/system/store.service.d/no-sandbox.conf"
	write(t, dropIn, "[Service]\nExecStart=\nExecStart="+programs+"store infinity\n")
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", "store.service")
	began := h.restarted(t)
	at, ok := h.inbox.await(1, began.Add(timing.ViolatedWithin))
	if !ok {
		t.Fatalf("no alert within %s: came %v; %s; firing: %v", timing.ViolatedWithin, h.inbox.all(), pace(), firing())
	}
	t.Fact("info", fmt.Sprintf("told after %s of at most %s", at.Sub(began).Round(100*time.Millisecond), timing.ViolatedWithin))
	if took := at.Sub(began); took < timing.Grace+timing.RuleFor {
		t.Errorf("told after %s: that is not even the grace and the alert's own delay", took)
	}
	h.inbox.expect(t, "without a sandbox", violatedTold("firing"))

	t.Must(os.Remove(dropIn))
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", "store.service")
	began = h.restarted(t)
	at, ok = h.inbox.await(2, began.Add(timing.MendedWithin))
	if !ok {
		t.Fatalf("not resolved within %s: came %v; %s; firing: %v", timing.MendedWithin, h.inbox.all(), pace(), firing())
	}
	t.Fact("info", fmt.Sprintf("resolved after %s of at most %s; %s", at.Sub(began).Round(100*time.Millisecond), timing.MendedWithin, pace()))
	h.inbox.expect(t, "mended", violatedTold("firing"), violatedTold("resolved"))
	onlyFired(t, "mended", violatedTold("firing"))
	calm("mended")
}

// restarted returns when the store was started last.
func (h *host) restarted(t *T) time.Time {
	settle(t, []expected{
		{programs + "web", "/system.slice/web.service", 1},
		{programs + "store", "/system.slice/store.service", 1},
		{programs + "queue", "/system.slice/queue.service", 1},
		{"/usr/lib/systemd/systemd", "/init.scope", 1},
	})
	p := find(t, programs+"store", "/system.slice/store.service")
	return time.Now().Add(p.start - now(t))
}

// firing returns what Prometheus says of alerts now, for people.
func firing() string {
	p, err := query("ALERTS")
	return fmt.Sprint(p, err)
}

// hasTiming reports whether Prometheus has LandlockRuleViolated with the durations that
// this program reckons with.
func hasTiming(groups []ruleGroup) error {
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Name != "LandlockRuleViolated" {
				continue
			}
			if window := "[" + timing.Rule.String() + "]"; !strings.Contains(r.Query, window) || r.Duration != timing.RuleFor.Seconds() {
				return fmt.Errorf("LandlockRuleViolated is %s for %vs, want a window of %s for %s", r.Query, r.Duration, window, timing.RuleFor)
			}
			return nil
		}
	}
	return fmt.Errorf("no LandlockRuleViolated in %d groups", len(groups))
}
