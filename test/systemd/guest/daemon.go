// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"strings"
	"time"
)

const (
	landlockd  = "/payload/landlockd"
	configFile = "/etc/landlockd/landlockd.yml"
)

// startDaemon starts landlockd as a service, with rules. It keeps running.
func (h *host) startDaemon(t *T, rules string) {
	write(t, configFile, rules)
	write(t, "/usr/lib/landlockd/rules.d/package.yml", packageRules)
	write(t, "/run/systemd/system/landlockd.service", `[Service]
Type=notify
ExecStart=`+landlockd+` --config.file=`+configFile+` --confine=require --log.level=debug
ExecReload=/bin/sh -c 'kill -HUP $MAINPID'
`)
	must(t, "systemctl", "daemon-reload")
	began := time.Now()
	if _, err := output(exec.Command("systemctl", "start", "landlockd.service")); err != nil {
		t.Fatalf("%v\n%s", err, journal("landlockd.service"))
	}
	t.Fact("landlockd", "ready after "+time.Since(began).Round(10*time.Millisecond).String())
	// What it scanned while it started is as old as that.
	h.scraped = time.Now()
	if _, err := get(); err != nil {
		t.Fatalf("it says that it is ready: %v\n%s", err, journal("landlockd.service"))
	}
}

// journal returns the last that a service said.
func journal(unit string) string {
	out, _ := exec.Command("journalctl", "--no-pager", "--quiet", "--lines=40", "--output=cat", "--unit="+unit).CombinedOutput()
	return strings.TrimSpace(string(out))
}
