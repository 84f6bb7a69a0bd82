// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// What an ordinary quarter of an hour of a host has, in less time.
const (
	upgrades = 4
	logins   = 8
	restarts = 4
	// targets are built by make, twice: by a service in its sandbox, and by alice. Each takes
	// four processes: a shell, two more of it, and a program.
	targets = 240
	// leastRuns are so many that what happens once in a thousand runs is seen.
	leastRuns = 2000
)

// orders is where jobs for the builder come, one name of a directory a line.
const orders = "/run/builder.orders"

// housekeeping are units that are sandboxed while rules are suggested, and go on then.
var housekeeping = map[string]string{
	// Whoever builds, builds in a sandbox.
	"builder.service": "[Service]\nType=exec\nExecStart=" + launcher + "weak -- /bin/sh -c 'while read -r dir; do make -s -j2 -C $$dir; echo >/run/built; done <>" + orders + "'\n",
	// A job of a timer, which takes as long as its file says.
	"beat.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nEnvironmentFile=/run/beat\nExecStart=" + launcher + "-- " + programs + "beat $SECONDS\n",
	"beat.timer":   "[Timer]\nOnActiveSec=100ms\nOnUnitInactiveSec=300ms\nAccuracySec=1ms\n",
	// What services do beside running, outside of their sandbox.
	"web.service.d/beside.conf": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStartPre=/bin/true\nExecStartPost=/bin/true\nExecReload=/bin/kill -WINCH $MAINPID\nExecStopPost=/bin/true\n",
}

// checkOrdinary has landlockd suggest rules for what runs, and a host do then what hosts do.
// Nobody is notified of anything, but that what broke before has been mended.
func (h *host) checkOrdinary(t *T) {
	t.Must(copyFile("/bin/sleep", programs+"beat"))
	t.Must(copyFile("/bin/sleep", programs+"session"))
	must(t, "mkfifo", orders)
	write(t, "/run/beat", "SECONDS=60\n")
	for name, text := range housekeeping {
		write(t, "/etc/systemd/system/"+name, text)
	}
	must(t, "systemctl", "daemon-reload")
	upgradeShop(t, 1)
	must(t, "systemctl", "start", "builder.service")
	must(t, "systemctl", "start", "--no-block", "beat.service")
	login := exec.Command("su", "-l", "alice", "-c", "exec "+launcher+"-- "+programs+"session infinity")
	background(t, login)
	for _, exe := range []string{"beat", "session", "flaky", "web", "queue", "store"} {
		eventually(t, exe+" runs", func() error {
			if !slices.ContainsFunc(processes(t), func(p process) bool { return p.exe == programs+exe }) {
				return errGone
			}
			return nil
		})
	}

	rules := must(t, "landlockd", "rules", "suggest")
	write(t, "/etc/landlockd/rules.d/suggested.yml", mayEnd(t, rules, "beat")+"\n")
	h.reloadRules(t, "rule_files: [/etc/landlockd/rules.d/*.yml]\n"+passingRules())
	must(t, "systemctl", "stop", "beat.service")
	write(t, "/run/beat", "SECONDS=0.02\n")

	before := h.scrape(t)
	began := time.Now()
	must(t, "systemctl", "start", "beat.timer")
	makeTree(t, "/var/tmp/tree", 0)
	makeTree(t, "/home/alice/tree", alice)
	write(t, orders, "/var/tmp/tree\n")
	for version := range upgrades {
		upgradeShop(t, version+2)
	}
	for range logins {
		must(t, "su", "-l", "alice", "-c", "id && exec "+launcher+"-- "+programs+"session 0.1")
	}
	must(t, "su", "-l", "alice", "-c", "make -s -C tree")
	for range restarts {
		must(t, "systemctl", "restart", "web.service")
		must(t, "systemctl", "reload", "web.service")
	}
	within(t, setUpTime, "the builder has built", func() error {
		_, err := os.Stat("/run/built")
		return err
	})
	must(t, "systemctl", "stop", "beat.timer")
	must(t, "systemctl", "reload", "landlockd.service")
	after, took := h.scrape(t), time.Since(began)

	unharmed(t, after)
	var runs float64
	for series, n := range after.With("landlock_runs_total{") {
		runs += n - before[series]
	}
	if runs < leastRuns {
		t.Errorf("%v runs, want at least %d", runs, leastRuns)
	}
	t.Fact("info", fmt.Sprintf("%v runs in %s", runs, took.Round(time.Second)))
	ruled := make(page)
	others := regexp.MustCompile(`name: [a-z-]+`).FindAllString(passingRules(), -1)
	for series, n := range after.With("landlock_rule_runs_total{") {
		isOfSeries := func(name string) bool {
			return strings.Contains(series, `rule="`+strings.TrimPrefix(name, "name: ")+`"`)
		}
		if !slices.ContainsFunc(others, isOfSeries) {
			ruled[series] = n - before[series]
		}
	}
	// Of the timer's job it is not known how often it ran.
	beats := `landlock_rule_runs_total{result="unknown",rule="beat"}`
	if ruled[beats] < 5 {
		t.Errorf("%s is %v", beats, ruled[beats])
	}
	want := suggestedRuns()
	want[beats] = ruled[beats]
	if d := ruled.Diff(want); d != "" {
		t.Errorf("what ran under suggested rules:\n%s", d)
	}

	told := append(allBroken("firing"), allBroken("resolved")...)
	at, ok := h.inbox.await(len(told), h.broke.Add(timing.WholeWithin))
	if !ok {
		t.Fatalf("not resolved within %s: came %v; %s; firing: %v", timing.WholeWithin, h.inbox.all(), pace(), firing())
	}
	if took := at.Sub(h.broke); took < timing.Broken {
		t.Errorf("resolved %s after the last bad run, before %s are over", took, timing.Broken)
	}
	// As long as an alert about all of this may take.
	time.Sleep(time.Until(began.Add(took + timing.BrokenWithin)))
	h.inbox.expectSorted(t, "in the end", told...)
	onlyFired(t, "in the end", allBroken("firing")...)
	if err := evaluated(ruleFiles...); err != nil {
		t.Errorf("%v", err)
	}
}

// suggestedRuns returns what ended in checkOrdinary under the rules that were suggested, but
// for the timer's job. They ask for rights that a rule of a sandbox can grant: whether it did
// is unknown of what has ended.
func suggestedRuns() page {
	p := make(page)
	for rule, n := range map[string]struct{ sandboxed, short float64 }{
		// make(1) and its last command, and four for each target.
		"builder": {sandboxed: 2 + 4*targets},
		"session": {sandboxed: logins},
		"shop":    {sandboxed: upgrades},
		// Before and after it starts, when it reloads and when it stops.
		"web":       {sandboxed: restarts, short: 4 * restarts},
		"landlockd": {short: 1},
		"beat":      {},
	} {
		for result, n := range map[string]float64{"compliant": 0, "short": n.short, "violating": 0, "unknown": n.sandboxed} {
			p[`landlock_rule_runs_total{result="`+result+`",rule="`+rule+`"}`] = n
		}
	}
	return p
}

// mayEnd takes from a suggested rule that a process must run, as the file says to do for a
// service that comes and goes.
func mayEnd(t *T, rules, name string) string {
	before, rule, found := strings.Cut(rules, "\n  - name: "+name+" ")
	least := strings.Index(rule, "    min_processes: 1\n")
	next := strings.Index(rule, "\n  - name: ")
	if !found || least < 0 || next >= 0 && least > next {
		t.Fatalf("no rule %s with min_processes is suggested:\n%s", name, rules)
	}
	return before + "\n  - name: " + name + " " + strings.Replace(rule, "    min_processes: 1\n", "", 1)
}

// makeTree makes what make(1) builds.
func makeTree(t *T, dir string, uid int) {
	var text strings.Builder
	text.WriteString("all:")
	for i := range targets {
		fmt.Fprintf(&text, " t%d", i)
	}
	text.WriteString("\n\t: >$@\nt%:\n\t(: >$@); (test -e $@); (rm $@); :\n")
	write(t, dir+"/Makefile", text.String())
	t.Must(os.Chown(dir, uid, uid))
}

// upgradeShop installs a version of a package with a service, from a file, as people do. The
// package's scripts do what debhelper has them do.
func upgradeShop(t *T, version int) {
	dir := fmt.Sprintf("/var/tmp/shop-%d", version)
	write(t, dir+"/DEBIAN/control", fmt.Sprintf("Package: shop\nVersion: %d\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: a shop\n", version))
	write(t, dir+"/DEBIAN/postinst", "#!/bin/sh\nset -e\ndeb-systemd-helper unmask shop.service >/dev/null\n"+
		"deb-systemd-helper enable shop.service >/dev/null\nsystemctl daemon-reload\ndeb-systemd-invoke restart shop.service\n")
	t.Must(os.Chmod(dir+"/DEBIAN/postinst", 0o755))
	write(t, dir+"/lib/systemd/system/shop.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=exec\nExecStart="+launcher+"-- /opt/shop/shop infinity\n[Install]\nWantedBy=multi-user.target\n")
	t.Must(copyFile("/bin/sleep", dir+"/opt/shop/shop"))
	must(t, "dpkg-deb", "--build", "--root-owner-group", "-Znone", dir, dir+".deb")
	if version == 2 {
		must(t, "apt-get", "--quiet", "--yes", "install", dir+".deb")
	} else {
		must(t, "dpkg", "--install", dir+".deb")
	}
}
