// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// deb is where the host puts landlockd's package, in a Debian whose systemd started this program
// as checks.service. Its service is unit.
const (
	deb  = "/landlockd.deb"
	unit = "landlockd.service"
)

// checkDeb installs landlockd's package where no systemd runs, as images are made, and where it
// does; there the service has to serve as the package has it. Then it purges it.
func checkDeb(t *T) {
	// A mount of the root alone has no /run/systemd.
	image := command(t, "mktemp", "-d")
	command(t, "mount", "--bind", "/", image)
	command(t, "chroot", image, "dpkg", "--install", deb)
	wantUnit(t, "is-enabled", "enabled")
	wantUnit(t, "is-active", "inactive")
	command(t, "getent", "passwd", "landlockd")
	command(t, "chroot", image, "dpkg", "--purge", "landlockd")
	command(t, "umount", image)

	startSleepers(t, 0, 1)
	startSleepers(t, 3, 2)
	command(t, "dpkg", "--install", deb)
	if s := command(t, "dpkg-query", "--show", "--showformat=${Architecture} ${Status}", "landlockd"); s != runtime.GOARCH+" install ok installed" {
		t.Errorf("the package is %s", s)
	}
	wantUnit(t, "is-enabled", "enabled")
	wantUnit(t, "is-active", "active")
	command(t, "landlockd", "check-config")
	installedServes(t)
	command(t, "systemctl", "reload", unit)
	installedServes(t)
	// By its socket.
	if text := command(t, "landlockd", "services"); !strings.Contains(text, unit) {
		t.Errorf("landlockd services has no %s:\n%s", unit, text)
	}
	t.Fact("version", command(t, "landlockd", "--version"))

	command(t, "dpkg", "--purge", "landlockd")
	wantUnit(t, "is-active", "inactive")
	for _, path := range []string{"/usr/bin/landlockd", "/etc/landlockd/landlockd.yml", "/etc/systemd/system/multi-user.target.wants/" + unit} {
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("purged, %s is there: %v", path, err)
		}
	}
}

// installedServes scrapes the service of the package: it is confined, and every process is in
// the state that it is in, those of this service among them.
func installedServes(t *T) {
	// Beyond --scan.min-interval: in the scan before, dpkg and its scripts may still run.
	time.Sleep(1100 * time.Millisecond)
	text := (&running{network: "tcp", address: daemonAddress}).scrape(t)
	wants := daemonWants("reads", "auto")
	for series, n := range map[string]float64{
		`landlock_processes_by_depth{depth="3"}`:                                        2,
		`landlock_workload_processes{state="sandboxed",workload="checks.service"}`:      2,
		`landlock_workload_processes{state="unsandboxed",workload="checks.service"}`:    2, // one, and this
		`landlock_workload_processes{state="sandboxed",workload="landlockd.service"}`:   1,
		`landlock_workload_processes{state="unsandboxed",workload="landlockd.service"}`: 0,
	} {
		wants = append(wants, want{series: series, least: n, most: n})
	}
	wantSeries(t, text, wants)
	factSource(t, text)
}

// wantUnit compares what systemctl says of the package's service.
func wantUnit(t *T, what, want string) {
	out, _ := exec.Command("systemctl", what, unit).Output() // its status says the same
	if got := strings.TrimSpace(string(out)); got != want {
		journal, _ := exec.Command("journalctl", "--no-pager", "--unit="+unit).CombinedOutput()
		t.Errorf("systemctl %s: %q, want %q\n%s", what, got, want, journal)
	}
}

// command runs a program and returns what it printed. It ends the check if that fails.
func command(t *T, name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}
