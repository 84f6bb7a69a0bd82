// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"strings"
)

const packagedRules = `rules:
  - {name: own, match: {unit: [landlockd.service]}, expect: {min_depth: 1}, min_processes: 1, grace: 0s}
  - {name: bus, match: {unit: [dbus.service], cmdline: ["**dbus-daemon --system**"]}, min_processes: 1, grace: 0s}
`

// checkPackage installs landlockd's package, uses it as it comes, and purges it.
func (h *host) checkPackage(t *T) {
	must(t, "dpkg", "--install", "/payload/landlockd.deb")
	h.packageServes(t)
	if s := must(t, "systemctl", "is-enabled", "landlockd.service"); s != "enabled" {
		t.Errorf("landlockd.service is %s", s)
	}
	if s := must(t, "systemctl", "show", "--value", "--property=WatchdogUSec", "landlockd.service"); s != "5min" {
		t.Errorf("its watchdog waits %s", s)
	}
	must(t, "systemd-analyze", "security", "--threshold=20", "--no-pager", "landlockd.service")

	write(t, "/etc/landlockd/rules.d/test.yml", packagedRules)
	must(t, "systemctl", "restart", "landlockd.service")
	p := h.packageServes(t)
	want := page{
		`landlock_rule_violated{rule="own",severity="warning"}`: 0,
		`landlock_rule_violated{rule="bus",severity="warning"}`: 1,
	}
	if d := p.With("landlock_rule_violated{").Diff(want); d != "" {
		t.Errorf("rules:\n%s", d)
	}
	must(t, "rm", "/etc/landlockd/rules.d/test.yml")
	must(t, "systemctl", "reload", "landlockd.service")
	if n := h.packageServes(t)[`landlockd_rules{status="loaded"}`]; n != 0 {
		t.Errorf("reloaded, it has %v rules", n)
	}

	for _, dropin := range []string{"audit", "procattr"} {
		const dir = "/etc/systemd/system/landlockd.service.d/"
		must(t, "mkdir", "-p", dir)
		must(t, "cp", "/usr/share/landlockd/dropins/"+dropin+".conf", dir)
		must(t, "systemctl", "daemon-reload")
		must(t, "systemctl", "restart", "landlockd.service")
		h.packageServes(t)
		must(t, "rm", dir+dropin+".conf")
	}
	must(t, "systemctl", "daemon-reload")

	must(t, "dpkg", "--purge", "landlockd")
	if out, err := exec.Command("pgrep", "-x", "landlockd").Output(); err == nil {
		t.Errorf("purged, it runs: %s", strings.TrimSpace(string(out)))
	}
}

// packageServes waits until the service of the package serves, and looks at how.
func (h *host) packageServes(t *T) page {
	var p page
	eventually(t, "the package's service serves", func() error {
		_, err := get()
		return err
	})
	p = h.scrape(t)
	want := page{
		`landlockd_confined{mechanism="capabilities"}`: 1, `landlockd_confined{mechanism="landlock"}`: 1,
		`landlockd_confined{mechanism="no_new_privs"}`: 1, `landlockd_confined{mechanism="user"}`: 1,
		`landlockd_confined{mechanism="seccomp"}`: 1, `landlockd_confined{mechanism="dumpable"}`: 1,
		`landlockd_confined{mechanism="groups"}`: 1, `landlockd_confined{mechanism="inherited"}`: 1,
		`landlockd_confined{mechanism="keyring"}`: 1,
	}
	if d := p.With("landlockd_confined{").Diff(want); d != "" {
		t.Errorf("confined:\n%s", d)
	}
	own := page{
		`landlock_workload_processes{state="sandboxed",workload="landlockd.service"}`:   1,
		`landlock_workload_processes{state="unsandboxed",workload="landlockd.service"}`: 0,
	}
	got := page{}
	for s, v := range p.With("landlock_workload_processes{") {
		if strings.Contains(s, `workload="landlockd.service"`) {
			got[s] = v
		}
	}
	if d := got.Diff(own); d != "" {
		t.Errorf("its own workload:\n%s\n%s", d, journal("landlockd.service"))
	}
	return p
}
