// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"strings"
)

const packagedRules = `rules:
  - {name: own, match: {unit: [landlockd.service]}, expect: {min_depth: 1}, min_processes: 1, grace: 0s}
  - {name: bus, match: {unit: [dbus.service], cmdline: ["**dbus-daemon --system**"]}, min_processes: 1, grace: 0s}
`

// packagedAssets are where only root looks, behind what the unit hides, and in the open.
const packagedAssets = `assets:
  - {name: shadow, paths: [/etc/shadow], access: [read, write]}
  - {name: root, paths: [/root], access: [write]}
  - {name: none, paths: [/root/none], access: [write]}
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
		h.dropIn(t, dropin, 1)
	}
	h.packageAssets(t)

	must(t, "dpkg", "--purge", "landlockd")
	if out, err := exec.Command("pgrep", "-x", "landlockd").Output(); err == nil {
		t.Errorf("purged, it runs: %s", strings.TrimSpace(string(out)))
	}
}

const dropins = "/etc/systemd/system/landlockd.service.d/"

// dropIn restarts the service with a drop-in of the package, with which it has so many
// processes, and takes that away for the next start.
func (h *host) dropIn(t *T, name string, processes float64) {
	must(t, "mkdir", "-p", dropins)
	must(t, "cp", "/usr/share/landlockd/dropins/"+name+".conf", dropins)
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", "landlockd.service")
	const own = `landlock_workload_processes{state="sandboxed",workload="landlockd.service"}`
	eventually(t, "all its processes are there", func() error {
		p, err := get()
		if err == nil && p[own] < processes {
			err = fmt.Errorf("%v of %v are", p[own], processes)
		}
		return err
	})
	h.packageServesWith(t, processes)
	must(t, "rm", dropins+name+".conf")
	must(t, "systemctl", "daemon-reload")
}

// packageAssets: with its drop-in the service knows what a sandboxed unit is kept from, and
// without it that it does not, and why.
func (h *host) packageAssets(t *T) {
	const unit = "t-boxed.service"
	must(t, "systemd-run", "--unit="+unit, self, "launch", "--", self, "infinity")
	write(t, "/etc/landlockd/rules.d/test.yml", packagedAssets)
	says := func(asset, reach string) {
		out := must(t, "landlockd", "services", "-o", "jsonl", "--workload="+unit, "--asset="+asset)
		if !strings.Contains(out, `"assets":[{"asset":"`+asset+`","reach":"`+reach+`"`) {
			t.Errorf("%s: %s", asset, out)
		}
	}
	h.dropIn(t, "assets", 2)
	for asset, reach := range map[string]string{"shadow": "within_reach", "root": "out_of_reach", "none": "absent"} {
		says(asset, reach)
	}
	must(t, "systemctl", "restart", "landlockd.service")
	h.packageServes(t)
	says("root", "unknown")
	if log := journal("landlockd.service"); !strings.Contains(log, "a start with CAP_DAC_READ_SEARCH") {
		t.Errorf("without the drop-in: %s", log)
	}
	must(t, "systemctl", "stop", unit)
}

// packageServes waits until the service of the package serves, and looks at how.
func (h *host) packageServes(t *T) page { return h.packageServesWith(t, 1) }

func (h *host) packageServesWith(t *T, processes float64) page {
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
		`landlock_workload_processes{state="sandboxed",workload="landlockd.service"}`:   processes,
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
