// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	address = "127.0.0.1:10644"
	unit    = "landlockd.service"

	apiSocket = "/run/landlockd/landlockd.sock"
)

// ours finds what is the package's, anywhere in a guest.
var ours = []string{"find", "/etc", "/usr", "/var", "/run", "/lib/systemd", "-xdev", "(", "-name", "*landlockd*", "-o", "-lname", "*landlockd*", ")"}

// TestDeb is the life of the deb: installed and used as it is, configured,
// upgraded, removed, installed again, purged.
func TestDeb(t *testing.T) {
	v1, v2 := get(t, first), get(t, second)
	g := boot(t)
	for _, r := range []release{v1, v2} {
		b, err := os.ReadFile(r.deb(t))
		if err != nil {
			t.Fatal(err)
		}
		write(t, g.path("/tmp/"+r.version+".deb"), string(b))
	}
	install := func(version string) {
		t.Helper()
		g.run(t, "dpkg", "--install", "--force-confdef", "/tmp/"+version+".deb")
	}

	// Without any configuration: it runs, for this host alone.
	install("1.0.0")
	page := g.scrape(t, address)
	mustBe(t, page, healthy)
	mustBe(t, page, map[string]string{"landlock_enabled": "1", `landlockd_rules{status="loaded"}`: "0"})
	if s := g.run(t, "landlockd", "check-config"); s != "OK: 0 rules in 1 file" {
		t.Errorf("check-config as installed: %q", s)
	}
	if s := g.journal(t); strings.Contains(s, "warning") {
		t.Errorf("it warns of its own configuration:\n%s", s)
	}
	if s := g.state(t, "UnitFileState", unit); s != "enabled" {
		t.Errorf("%s is %s", unit, s)
	}
	for _, other := range []string{"landlockd.socket", "landlockd-textfile.timer"} {
		if s := g.state(t, "UnitFileState", other); s != "disabled" {
			t.Errorf("%s is %s", other, s)
		}
	}
	g.checkProcess(t)
	if s := g.run(t, "stat", "-c", "%U:%G %a", "/run/landlockd", "/usr/bin/landlockd"); s != "landlockd:landlockd 755\nroot:root 711" {
		t.Errorf("/run/landlockd, and the program: %s", s)
	}
	if s := g.run(t, "stat", "-c", "%F %U %a", apiSocket); s != "socket landlockd 666" {
		t.Errorf("%s is a %s", apiSocket, s)
	}
	// Root asks a daemon that runs as another user.
	if s := g.run(t, "landlockd", "explain", "--no-paths", "--output=json", "1"); !strings.Contains(s, `"remembered": `) || strings.Contains(s, "no daemon runs") || strings.Contains(s, "for root alone") {
		t.Errorf("explain:\n%s", s)
	}
	g.run(t, "systemd-analyze", "security", "--threshold=20", "--no-pager", unit)

	t.Run("rules", func(t *testing.T) { g.checkRules(t) })
	t.Run("restart", func(t *testing.T) { g.checkRestart(t) })
	t.Run("watchdog", func(t *testing.T) { g.checkWatchdog(t) })
	t.Run("flags", func(t *testing.T) { g.checkFlags(t) })
	t.Run("socket", func(t *testing.T) { g.checkSocket(t) })
	t.Run("textfile", func(t *testing.T) { g.checkTextfile(t) })

	// An upgrade: what runs is the new one, what was changed stays.
	const own = "ARGS=\"--web.disable-exporter-metrics\"\n"
	write(t, g.path("/etc/default/landlockd"), own)
	before := g.mainPID(t)
	install("1.1.0")
	if g.mainPID(t) == before {
		t.Error("the upgrade did not restart it")
	}
	page = g.scrape(t, address)
	mustBe(t, page, healthy)
	if v := version(page); v != "v1.1.0" {
		t.Errorf("after the upgrade %s runs", v)
	}
	if text := read(t, g.path("/etc/default/landlockd")); text != own {
		t.Errorf("/etc/default/landlockd is now %q", text)
	}
	if _, ok := page["process_open_fds"]; ok {
		t.Error("the flags in /etc/default/landlockd are not in force")
	}

	// One that the operator switched off stays so.
	g.run(t, "systemctl", "disable", "--now", unit)
	install("1.0.0") // a downgrade is an upgrade, too
	if s := g.state(t, "ActiveState", unit) + " " + g.state(t, "UnitFileState", unit); s != "inactive disabled" {
		t.Errorf("the upgrade of a disabled service left it %s", s)
	}
	g.run(t, "systemctl", "enable", "--now", unit)
	g.scrape(t, address)

	// Removed: nothing runs, nothing would start, the configuration stays.
	g.run(t, "dpkg", "--remove", "landlockd")
	if s := g.state(t, "ActiveState", unit); s != "inactive" && s != "failed" {
		t.Errorf("removed, it is %s", s)
	}
	if out, err := g.try(t, "pgrep", "-x", "landlockd"); err == nil {
		t.Errorf("removed, it runs: %s", out)
	}
	for path, there := range map[string]bool{
		"/etc/default/landlockd": true, "/etc/landlockd/landlockd.yml": true, "/usr/bin/landlockd": false, "/usr/lib/systemd/system/landlockd.service": false, "/run/landlockd": false,
	} {
		if _, err := os.Lstat(g.path(path)); (err == nil) != there {
			t.Errorf("removed, %s: %v", path, err)
		}
	}

	// Installed again: as it was.
	install("1.1.0")
	page = g.scrape(t, address)
	if _, ok := page["process_open_fds"]; ok || g.state(t, "UnitFileState", unit) != "enabled" {
		t.Error("installed again, it is not as it was")
	}

	// Purged: nothing is left but its user, and what the operator wrote.
	write(t, g.path("/etc/landlockd/rules.d/mine.yml"), "rules: []\n")
	g.run(t, "dpkg", "--purge", "landlockd")
	g.run(t, "id", "landlockd")
	if s := g.run(t, append(ours, "-printf", "%p\n")...); s != "/etc/landlockd" {
		t.Errorf("purged, there are still\n%s", s)
	}
	if s := g.run(t, "find", "/etc/landlockd", "-type", "f"); s != "/etc/landlockd/rules.d/mine.yml" {
		t.Errorf("purged, there is still %s", s)
	}
	if s := g.state(t, "LoadState", unit); s != "not-found" {
		t.Errorf("purged, the unit is %s", s)
	}
}

func version(page map[string]string) string {
	for series := range page {
		if strings.HasPrefix(series, "landlockd_build_info{") {
			return regexp.MustCompile(`[{,]version="([^"]*)"`).FindStringSubmatch(series)[1]
		}
	}
	return "none"
}

// checkProcess looks at what the kernel says of the one that serves.
func (g *guest) checkProcess(t *testing.T) {
	t.Helper()
	status := map[string]string{}
	for line := range strings.Lines(read(t, g.path(fmt.Sprintf("/proc/%d/status", g.mainPID(t))))) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		status[k] = strings.TrimSpace(v)
	}
	uid := g.run(t, "id", "--user", "landlockd")
	for key, want := range map[string]string{
		"Uid": strings.Join([]string{uid, uid, uid, uid}, "\t"), "CapInh": "0000000000000000", "CapPrm": "0000000000000000",
		"CapEff": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
	} {
		if status[key] != want {
			t.Errorf("%s is %q, want %q", key, status[key], want)
		}
	}
	if uid == "0" {
		t.Error("the user landlockd is root")
	}
}

// checkRules: rules are loaded again on reload; wrong ones are refused, and keep it
// from starting.
func (g *guest) checkRules(t *testing.T) {
	const file = "/etc/landlockd/rules.d/test.yml"
	// By user ID: in a cgroup namespace landlockd names no units (test/systemd sees to
	// those). By a command line: the sandbox of the unit must let it be read.
	write(t, g.path(file), fmt.Sprintf("rules:\n"+
		"  - {name: own, match: {uid: [%s]}, expect: {min_depth: 1}, min_processes: 1, grace: 0s}\n"+
		"  - {name: bus, match: {uid: [%s], cmdline: [\"**dbus-daemon --system**\"]}, min_processes: 1, grace: 0s}\n",
		g.run(t, "id", "--user", "landlockd"), g.run(t, "id", "--user", "messagebus")))
	// Rules that read command lines are met at the start only.
	g.run(t, "systemctl", "restart", unit)
	mustBe(t, g.scrape(t, address), map[string]string{
		`landlockd_rules{status="loaded"}`:                       "2",
		`landlock_rule_violated{rule="own",severity="warning"}`:  "0",
		`landlock_rule_processes{result="compliant",rule="own"}`: "1",
		`landlock_rule_violated{rule="bus",severity="warning"}`:  "1",
		`landlock_rule_processes{result="violating",rule="bus"}`: "1",
		`landlock_rule_processes{result="unknown",rule="bus"}`:   "0",
		`landlockd_config_last_reload_successful`:                "1",
	})
	pid := g.mainPID(t)
	write(t, g.path(file), "rules:\n  - {name: own, match: {unit: [landlockd.service]}}\n  - {name: other, match: {unit: [dbus.service]}}\n  - {name: third, match: {unit: [none.service]}}\n")
	g.run(t, "systemctl", "reload", unit)
	mustBe(t, g.scrape(t, address), map[string]string{`landlockd_rules{status="loaded"}`: "3"})

	write(t, g.path(file), "rules:\n  - {nam: wrong}\n")
	if _, err := g.try(t, "systemctl", "reload", unit); err != nil {
		t.Logf("reload of wrong rules: %v", err)
	}
	eventually(t, "it tells that the reload failed", func() error {
		page := g.scrape(t, address)
		if page["landlockd_config_last_reload_successful"] != "0" || page[`landlockd_rules{status="loaded"}`] != "3" {
			return fmt.Errorf("%s, %s rules", page["landlockd_config_last_reload_successful"], page[`landlockd_rules{status="loaded"}`])
		}
		return nil
	})
	if g.mainPID(t) != pid {
		t.Error("reloading restarted it")
	}
	// A start with them fails, and says where.
	if _, err := g.try(t, "systemctl", "restart", unit); err == nil {
		t.Error("it starts with wrong rules")
	}
	if text := g.journal(t); !strings.Contains(text, file+":2:") {
		t.Errorf("the journal does not name the place of what is wrong:\n%s", text)
	}
	// It is not tried again and again: mended, it is started by whoever mended it.
	if s := g.state(t, "ActiveState", unit) + " " + g.state(t, "ExecMainStatus", unit); s != "failed 2" {
		t.Errorf("with wrong rules it is: %s", s)
	}
	if err := os.Remove(g.path(file)); err != nil {
		t.Fatal(err)
	}
	g.run(t, "systemctl", "reset-failed", unit) // not too many starts
	g.run(t, "systemctl", "restart", unit)
	mustBe(t, g.scrape(t, address), healthy)
}

// checkRestart: one that is killed comes again.
func (g *guest) checkRestart(t *testing.T) {
	before := g.mainPID(t)
	g.run(t, "kill", "-KILL", fmt.Sprint(before))
	eventually(t, "systemd starts it again", func() error {
		if now := g.state(t, "MainPID", unit); now == "0" || now == fmt.Sprint(before) {
			return fmt.Errorf("MainPID %s", now)
		}
		return nil
	})
	mustBe(t, g.scrape(t, address), healthy)
}

// checkWatchdog: systemd hears of it though nobody scrapes, and starts it anew when it stands
// still.
func (g *guest) checkWatchdog(t *testing.T) {
	if s := g.state(t, "WatchdogUSec", unit); s != "5min" {
		t.Errorf("as installed the watchdog waits %s", s)
	}
	const dropin = "/etc/systemd/system/landlockd.service.d/watchdog.conf"
	g.run(t, "mkdir", "-p", filepath.Dir(dropin))
	write(t, g.path(dropin), "[Service]\nWatchdogSec=10s\n")
	restart := func() {
		g.run(t, "systemctl", "daemon-reload")
		g.run(t, "systemctl", "restart", unit)
	}
	restart()
	for range 2 {
		heard := g.state(t, "WatchdogTimestampMonotonic", unit)
		eventually(t, "systemd hears of it", func() error {
			if g.state(t, "WatchdogTimestampMonotonic", unit) == heard {
				return fmt.Errorf("not since %s us", heard)
			}
			return nil
		})
	}
	before := g.state(t, "MainPID", unit)
	g.run(t, "kill", "-STOP", before)
	eventually(t, "systemd starts it anew", func() error {
		if now := g.state(t, "MainPID", unit); now == "0" || now == before {
			return fmt.Errorf("MainPID %s", now)
		}
		return nil
	})
	g.run(t, "rm", dropin)
	restart()
	mustBe(t, g.scrape(t, address), healthy)
}

// checkFlags: those of the environment file.
func (g *guest) checkFlags(t *testing.T) {
	file := g.path("/etc/default/landlockd")
	text := read(t, file)
	write(t, file, strings.Replace(text, `ARGS=""`, `ARGS="--web.listen-address=127.0.0.1:9999 --web.listen-address=127.0.0.1:9998"`, 1))
	g.run(t, "systemctl", "restart", unit)
	mustBe(t, g.scrape(t, "127.0.0.1:9999"), healthy)
	mustBe(t, g.scrape(t, "127.0.0.1:9998"), healthy)

	// Wrong ones do not make a loop of restarts.
	write(t, file, `ARGS="--no-such-flag"`+"\n")
	if _, err := g.try(t, "systemctl", "restart", unit); err == nil {
		t.Error("it starts with a flag that there is not")
	}
	if s := g.state(t, "ActiveState", unit) + " " + g.state(t, "ExecMainStatus", unit); s != "failed 2" {
		t.Errorf("with a wrong flag it is: %s", s)
	}

	// The rules of the file that ARGS names are in force, whatever the usual file is like; all
	// that is wrong with them is in the journal, and they make no loop either.
	const usual = "/etc/landlockd/landlockd.yml"
	before := read(t, g.path(usual))
	write(t, g.path(usual), "rules: [{nam: wrong}]\n")
	write(t, g.path("/etc/landlockd/other.yml"), "rules: [{name: other, match: {unit: [none.service]}}]\n")
	write(t, file, `ARGS="--config.file=/etc/landlockd/other.yml"`+"\n")
	g.run(t, "systemctl", "reset-failed", unit) // not too many starts
	g.run(t, "systemctl", "restart", unit)
	mustBe(t, g.scrape(t, address), map[string]string{`landlockd_rules{status="loaded"}`: "1"})
	write(t, g.path(usual), before)
	write(t, g.path("/etc/landlockd/other.yml"), "rules:\n  - {nam: wrong}\n  - {name: a, match: {unit: [x]}, grace: soon}\n")
	if _, err := g.try(t, "systemctl", "restart", unit); err == nil {
		t.Error("it starts with wrong rules in another file than the usual one")
	}
	if s := g.state(t, "ActiveState", unit) + " " + g.state(t, "ExecMainStatus", unit) + " " + g.state(t, "NRestarts", unit); s != "failed 2 0" {
		t.Errorf("with wrong rules it is: %s", s)
	}
	journal := g.journal(t)
	for _, place := range []string{"other.yml:2:", "other.yml:3:"} {
		if !strings.Contains(journal, place) {
			t.Errorf("the journal does not name %s:\n%s", place, journal)
		}
	}
	if err := os.Remove(g.path("/etc/landlockd/other.yml")); err != nil {
		t.Fatal(err)
	}
	write(t, file, text)
	g.checkBackslashes(t)
}

// checkBackslashes: what the environment file says of them, and docs/install.md, comes to what
// is meant.
func (g *guest) checkBackslashes(t *testing.T) {
	t.Helper()
	file := g.path("/etc/default/landlockd")
	text := read(t, file)
	for args, want := range map[string]string{
		`'--workload.exclude=user@\\d+\\.service'`: `--workload.exclude=user@\d+\.service`,
		`'"--workload.exclude=a b"'`:               "--workload.exclude=a b",
		`"--workload.exclude=a\\.b"`:               "--workload.exclude=a.b", // what is warned of
	} {
		write(t, file, "ARGS="+args+"\n")
		g.run(t, "systemctl", "reset-failed", unit) // not too many starts
		g.run(t, "systemctl", "restart", unit)
		g.scrape(t, address)
		line := strings.Split(g.run(t, "cat", fmt.Sprintf("/proc/%d/cmdline", g.mainPID(t))), "\x00")
		if !slices.Contains(line, want) {
			t.Errorf("ARGS=%s comes to %q, want %q", args, line, want)
		}
	}
	write(t, file, text)
	g.run(t, "systemctl", "restart", unit)
	g.scrape(t, address)
}

// checkSocket follows the comment of the socket unit.
func (g *guest) checkSocket(t *testing.T) {
	file := g.path("/etc/default/landlockd")
	text := read(t, file)
	commands := regexp.MustCompile(`(?m)^#   (.*?)(   \(.*\))?$`).FindAllStringSubmatch(read(t, g.path("/usr/lib/systemd/system/landlockd.socket")), -1)
	if len(commands) != 3 {
		t.Fatalf("the comment has commands %q", commands)
	}
	for _, c := range commands {
		g.run(t, "sh", "-euc", c[1])
	}
	if s := g.state(t, "ActiveState", unit); s != "inactive" {
		t.Errorf("before the first scrape the service is %s", s)
	}
	mustBe(t, g.scrape(t, address), healthy)
	if s := g.state(t, "ActiveState", unit); s != "active" {
		t.Errorf("after it, it is %s", s)
	}
	// While it restarts, nobody is refused.
	stop := time.Now().Add(time.Second)
	restarted := make(chan error, 1)
	go func() { _, err := g.try(t, "systemctl", "restart", unit); restarted <- err }()
	for time.Now().Before(stop) {
		if out, err := try(t.Context(), "nsenter", "--target", g.pid, "--net", "curl", "--silent", "--show-error", "--fail", "--max-time", "20", "http://"+address+"/-/healthy"); err != nil {
			t.Errorf("while it restarts: %v %s", err, out)
		}
	}
	if err := <-restarted; err != nil {
		t.Error(err)
	}
	g.run(t, "systemctl", "disable", "--now", "landlockd.socket")
	write(t, file, text)
	g.run(t, "systemctl", "stop", unit)
	g.run(t, "systemctl", "enable", "--now", unit)
	g.scrape(t, address)
}

// checkTextfile: the timer writes where node_exporter's user owns the folder.
func (g *guest) checkTextfile(t *testing.T) {
	const dir = "/var/lib/prometheus/node-exporter"
	g.run(t, "install", "-d", "-o", "12345", "-g", "12345", "-m", "0755", dir)
	g.run(t, "systemctl", "enable", "--now", "landlockd-textfile.timer")
	// The first comes by the timer's clock, which is the boot's: it is due now.
	file := g.path(filepath.Join(dir, "landlockd.prom"))
	eventually(t, "there is a file", func() error { _, err := os.Stat(file); return err })
	if s := g.state(t, "Result", "landlockd-textfile.service"); s != "success" {
		t.Errorf("landlockd-textfile.service: %s", s)
	}
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o644 {
		t.Errorf("the file has mode %o", st.Mode().Perm())
	}
	text := read(t, file)
	page := parse(text)
	mustBe(t, page, map[string]string{"landlockd_scan_success": "1", "landlock_enabled": "1"})
	runWith(t, text, "promtool", "check", "metrics")
	for _, u := range []string{"landlockd-textfile.service", unit} {
		g.run(t, "systemd-analyze", "security", "--threshold=20", "--no-pager", u)
	}
	// It is written anew.
	g.run(t, "systemctl", "start", "landlockd-textfile.service")
	if again := parse(read(t, file)); again["landlockd_last_scan_timestamp_seconds"] == page["landlockd_last_scan_timestamp_seconds"] {
		t.Error("the second run left the first one's file")
	}
	g.run(t, "systemctl", "disable", "--now", "landlockd-textfile.timer")
}
