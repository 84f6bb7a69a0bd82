// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
)

// unitsSnapshot is what checkUnits recorded, for checkVerdicts.
const unitsSnapshot = "/tmp/units.json"

// checkUnits starts services with cgroups, root directories and namespaces of their
// own, and landlockd, and compares what they are called and what rules say of them.
// They keep running.
func (h *host) checkUnits(t *T) {
	for _, name := range []string{
		"delegated", "web", "pause", "docked", "k3s", "quadlet", "nspawn", "origin", "deep", "tool",
	} {
		t.Must(copyFile("/bin/sleep", programs+name))
	}
	t.Must(copyFile("/bin/sh", programs+"agent"))
	// It needs no library there.
	t.Must(copyFile(self, rootDirectory+programs+"origin"))
	writePodLog(t)
	services := unitServices()
	start := []string{"start"}
	for i := range services {
		write(t, "/run/systemd/system/"+services[i].unit, services[i].section())
		start = append(start, services[i].unit)
	}
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", start...)
	settle(t, seen(services))
	checkPrivileges(t)

	h.startDaemon(t, unitRules+delegatedRules())
	pastGrace(t)
	p := h.decided(t)
	compareWorkloads(t, p, namesOf(services))
	rules := unitSays()
	if d := ofRules(t, p).Diff(pageOf(rules)); d != "" {
		t.Errorf("rules:\n%s", d)
	}
	want := page{
		`landlockd_rules{status="loaded"}`:        float64(len(rules) + aboutNothing),
		`landlockd_rules{status="applied"}`:       float64(len(rules)),
		"landlockd_workload_unresolved_processes": 0,
	}
	for series, v := range want {
		if got, there := p[series]; !there || got != v {
			t.Errorf("%s is %v, want %v", series, got, v)
		}
	}
	write(t, unitsSnapshot, must(t, landlockd, "once", "--format=json"))
	t.Fact("info", fmt.Sprintf("%d services in %d rules, %d of which are about nothing",
		len(services), len(rules)+aboutNothing, aboutNothing))
}

// decided scrapes until it is known which rules are about which processes. That a pod's
// sandbox has no name is certain only when its log is late enough.
func (h *host) decided(t *T) (p page) {
	eventually(t, "it is known which rules are about which processes", func() error {
		p = h.scrape(t)
		unknown := p.With("landlockd_rule_match_unknown_processes{")
		if len(unknown) == 0 {
			return errors.New("there is no such metric")
		}
		for reason, n := range unknown {
			if n != 0 {
				return fmt.Errorf("%s is %v", reason, n)
			}
		}
		return nil
	})
	return p
}

// checkPrivileges sees that services are who they should be, and where: else they
// would show nothing.
func checkPrivileges(t *T) {
	const nobody = 65534
	for _, d := range delegated() {
		p := find(t, programs+"delegated", seen([]service{d})[0].cgroup)
		if (p.uid == nobody) != (d.options == nobodys) {
			t.Errorf("%s: user %d", d.unit, p.uid)
		}
	}
	namespace := func(pid int, kind string) string {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		t.Must(err)
		return name
	}
	for _, o := range origins() {
		p := find(t, programs+"origin", o.cgroup())
		for _, kind := range []string{"mnt", "user"} {
			own := kind == "mnt" || o.options == privateUsers
			if (namespace(p.pid, kind) != namespace(1, kind)) != own {
				t.Errorf("%s: has a %s namespace of its own: %t, want %t", o.unit, kind, !own, own)
			}
		}
	}
}
