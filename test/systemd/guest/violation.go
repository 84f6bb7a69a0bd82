// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"time"
)

// victimPage returns the series of the rule about the victim.
func victimPage(compliant, violating, starting float64) page {
	p := page{
		`landlock_rule_processes{result="compliant",rule="victim"}`: compliant,
		`landlock_rule_processes{result="violating",rule="victim"}`: violating,
		`landlock_rule_processes{result="starting",rule="victim"}`:  starting,
		`landlock_rule_processes{result="unknown",rule="victim"}`:   0,
		`landlock_rule_violated{rule="victim",severity="critical"}`: violating,
	}
	if violating > 0 {
		p[violation("unsandboxed", "victim", "t-victim.service")] = violating
	}
	return p
}

// victimOf returns what a page says of the rule about the victim.
func victimOf(p page) page {
	part := make(page)
	for s := range victimPage(0, 1, 0) {
		if v, ok := p[s]; ok {
			part[s] = v
		}
	}
	return part
}

// checkViolation takes the sandbox of a service away, as an administrator could,
// and gives it back.
func (h *host) checkViolation(t *T) {
	expect := func(when string, p page, want page) {
		if d := victimOf(p).Diff(want); d != "" {
			t.Errorf("%s:\n%s", when, d)
		}
	}
	expect("sandboxed", h.scrape(t), victimPage(1, 0, 0))

	const dropIn = "/run/systemd/system/t-victim.service.d/no-sandbox.conf"
	write(t, dropIn, "[Service]\nExecStart=\nExecStart="+programs+"victim infinity\n")
	must(t, "systemctl", "daemon-reload")
	var victim process
	for attempt := 0; ; attempt++ {
		must(t, "systemctl", "restart", "t-victim.service")
		settle(t, running)
		victim = find(t, programs+"victim", "/system.slice/t-victim.service")
		p := h.scrape(t)
		if now(t) < victim.start+victimGrace {
			expect("within the grace", p, victimPage(0, 0, 1))
			break
		}
		if attempt == 2 {
			t.Fatalf("this machine takes more than %s from a start to a scrape: it cannot be told what is said in between", victimGrace)
		}
	}

	// Times of start are rounded down to 10 ms.
	untilAge(t, victim, victimGrace+10*time.Millisecond)
	expect("first scrape after the grace", h.scrape(t), victimPage(0, 1, 0))

	t.Must(os.Remove(dropIn))
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", "t-victim.service")
	settle(t, running)
	expect("first scrape after the mend", h.scrape(t), victimPage(1, 0, 0))
	if p := find(t, programs+"victim", "/system.slice/t-victim.service"); p.pid == victim.pid && p.start == victim.start {
		t.Errorf("the service did not restart")
	}
}
