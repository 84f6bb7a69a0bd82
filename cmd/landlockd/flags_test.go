// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/daemon"
)

func parseServe(t *testing.T, line string) *serve {
	t.Helper()
	c, err := parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	return c.(*serve)
}

// wantCommand expects a command, by the name of its type.
func wantCommand(t *testing.T, line, want string) {
	t.Helper()
	c, err := parse(strings.Fields(line))
	if got := fmt.Sprintf("%T", c); err != nil || got != "*main."+want {
		t.Errorf("%q: %s, %v; want %s", line, got, err, want)
	}
}

// wantUsage expects an error of wrong usage with a text in it.
func wantUsage(t *testing.T, line, text string) {
	t.Helper()
	_, err := parse(strings.Fields(line))
	var usage usageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), text) {
		t.Errorf("%q: %v, want one of usage that shows %s", line, err, text)
	}
}

func TestParseDefaults(t *testing.T) {
	s := parseServe(t, "")
	o := s.options()
	if !slices.Equal(o.Listen, []string{"127.0.0.1:10644"}) || !o.UsualAddress ||
		o.Web.TelemetryPath != "/metrics" || o.Web.MaxRequests != 10 || o.MinInterval != time.Second ||
		o.Confine != daemon.BestEffort || o.User != "" || o.Sources.ProcFS != "/proc" ||
		o.Sources.SysFS != "/sys" || o.Logger == nil || o.Sources.Logger == nil {
		t.Errorf("%+v", s)
	}
}

func TestParseCommands(t *testing.T) {
	for line, want := range map[string]string{
		"": "serve", "serve": "serve", "--web.max-requests=0": "serve", "serve --scan.min-interval=0s": "serve",
		"once": "once", "once --format=json --summary": "once", "once --textfile=x": "once", "once --path.sysfs=/x": "once",
		"tree -o wide --state=partial --pid=1 --no-fold --color=always": "drawTree", "ps": "listProcesses", "ps -o jsonl --state=ineffective --domain=0x1e67bda0b --right=net.* --pid=1 --pid=2 --sort=age": "listProcesses", "services": "listServices", "services -o wide --state=violating --state=partial --sort=age --color=never --no-headers": "listServices",
		"log": "showLog", "log -f --only=runs,domains --pid=1 --workload=a --last=5 -o jsonl": "showLog",
		"tree": "drawTree", "tree -a -d --ascii": "drawTree", "doctor": "examine",
		"ui": "browse", "ui --listen-address=[::1]:8080 --interval=1s --snapshot=x": "browse",
	} {
		wantCommand(t, line, want)
	}
}

func TestParseValues(t *testing.T) {
	s := parseServe(t, "serve --web.listen-address=:1 --web.listen-address=[::1]:2 --web.systemd-socket "+
		"--confine=require --user=x --log.level=debug --log.format=json --scan.min-interval=1500ms --web.config.file=f")
	o := s.options()
	if !slices.Equal(o.Listen, []string{":1", "[::1]:2"}) || o.UsualAddress || !o.SystemdSocket ||
		o.Confine != daemon.Require || o.User != "x" || s.log.Level.String() != "debug" ||
		s.log.Format.String() != "json" || o.MinInterval != 1500*time.Millisecond ||
		o.WebConfig != "f" {
		t.Errorf("%+v", s)
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--web.listen-address=:1 --web.listen-address=unix:///run/x.sock": "use --web.systemd-socket",
		"--web.listen-address=vsock://:10644":                             "use --web.systemd-socket",
		"--web.listen-address=@landlockd":                                 "use --web.systemd-socket",
		"--nope":                                                          "--nope", "nope": "nope", "once twice": "twice", "--confine=x": "--confine", "--log.level=x": "--log.level",
		"--log.format=x": "--log.format", "once --format=x": "--format", "--web.max-requests=x": "x", "--web.max-requests=-1": "-1",
		"--scan.min-interval=-1s": "-1s", "--scan.min-interval=1": "1", "once --summary": "--summary",
		"once --format=json --textfile=x": "--textfile", "--path.procfs=/": "--path.procfs", "--path.procfs=": "--path.procfs",
		"tree --web.max-requests=1": "--web.max-requests", "once --user=x": "--user", "serve --timeout=1s": "--timeout",
		"once --timeout=0s": "--timeout", "tree --timeout=-1s": "--timeout", "doctor --timeout=x": "--timeout",
		"tree -a --pid=1": "--all", "tree -d -o json": "--domains", "tree -d --pid=1": "--domains", "ps --state=violating": "--state", "ps --domain=x": "--domain", "ps --right=x": "--right", "ps --right=[": "--right", "ps --pid=0": "--pid", "ps --workload=[": "--workload",
		"services --state=x": "--state", "services --workload=[": "--workload", "services -o xml": "xml", "services --timeout=0s": "--timeout",
		"services --sort=x": "--sort", "services --color=x": "--color", "services --api.socket=x": "--api.socket",
		"ui --listen-address=0.0.0.0:80": "loopback", "ui --listen-address=localhost:80": "loopback", "ui --listen-address=:80": "loopback",
		"ui --interval=1ms": "--interval", "ui x": "x",
		"rules suggest --timeout=0s": "--timeout", "explain 1 --timeout=0s": "--timeout",
		"--workload.runtime-unit=k3s":                                            "--workload.runtime-unit",
		"tree --workload.runtime-unit=a.service --workload.runtime-unit=b.slice": "b.slice",
	} {
		wantUsage(t, line, want)
	}
}

func TestCheckFlags(t *testing.T) {
	for line, want := range map[string]string{
		"check --require-matches -o nagios": "checkRules",
		"check":                             "checkRules", "check --pid=1 --expect=min_depth=1": "checkRules", "check -o nagios --snapshot=x": "checkRules", "explain 7 -o json": "explainProcess", "explain self": "explainProcess", "explain sshd": "explainProcess",
		"check-config": "checkConfig", "check-config a b": "checkConfig", "rules suggest": "suggestRules", "rules suggest --snapshot=x": "suggestRules",
		"rules known -o rules --known.files=a --known.files=b": "knownPrograms",
		"serve --config.file=x --web.enable-lifecycle":         "serve", "--config.file=x": "serve", "once --config.file=x": "once",
	} {
		wantCommand(t, line, want)
	}
	for line, want := range map[string]string{
		"log --only=x": "--only", "log --only=runs,": "--only", "log --pid=-1": "--pid", "log --api.socket=": "--api.socket", "log --last=99999": "--last",
		"check --pid=1": "--expect", "check --expect=min_depth=1": "--pid", "check --pid=-1 --expect=x": "--pid", "check --pid=4294967297 --expect=x": "--pid",
		"explain 0": "no PID", "explain 4294967297": "no PID", "explain 99999999999999999999": "no PID", "explain self --snapshot=x": "self",
		"check --explain=1": "--explain", "check --timeout=0s": "--timeout",
		"check --pid=1 --expect=x --require-matches": "--require-matches",
		"rules known -o xml":                         "xml", "rules known --timeout=0s": "--timeout",
		"check -o xml": "xml", "check --output=xml": "xml", "rules": "want one of suggest, known", "rules suggets": "suggets", "tree --config.file=x": "--config.file", "check x": "x",
	} {
		wantUsage(t, line, want)
	}
}
