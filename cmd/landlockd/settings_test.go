// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseDefaults(t *testing.T) {
	s, command, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if command != cmdServe || !slices.Equal(s.listen, []string{"127.0.0.1:10644"}) || s.listenWasGiven ||
		s.telemetryPath != "/metrics" || s.maxRequests != 10 || s.minInterval != time.Second ||
		s.confine != confineBestEffort || s.user != "" || s.procfs != "/proc" || s.sysfs != "/sys" || s.logger == nil {
		t.Errorf("%s: %+v", command, s)
	}
}

func TestParseCommands(t *testing.T) {
	for line, want := range map[string]string{
		"": cmdServe, "serve": cmdServe, "--web.max-requests=0": cmdServe, "serve --scan.min-interval=0s": cmdServe,
		"once": cmdOnce, "once --format=json --summary": cmdOnce, "once --textfile=x": cmdOnce, "--path.sysfs=/x once": cmdOnce,
		"tree": cmdTree, "tree -a -d --ascii": cmdTree, "doctor": cmdDoctor,
	} {
		if _, command, err := parse(strings.Fields(line)); err != nil || command != want {
			t.Errorf("%q: %s, %v; want %s", line, command, err, want)
		}
	}
}

func TestParseValues(t *testing.T) {
	s, _, err := parse(strings.Fields("serve --web.listen-address=:1 --web.listen-address=[::1]:2 --web.systemd-socket " +
		"--confine=require --user=x --log.level=debug --log.format=json --scan.min-interval=1500ms --web.config.file=f"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.listen, []string{":1", "[::1]:2"}) || !s.listenWasGiven || !s.systemdSocket || s.confine != confineRequire ||
		s.user != "x" || s.log.Level.String() != "debug" || s.log.Format.String() != "json" ||
		s.minInterval != 1500*time.Millisecond || s.webConfig != "f" {
		t.Errorf("%+v", s)
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--nope": "--nope", "nope": "nope", "once twice": "twice", "--confine=x": "--confine", "--log.level=x": "--log.level",
		"--log.format=x": "--log.format", "once --format=x": "--format", "--web.max-requests=x": "x", "--web.max-requests=-1": "-1",
		"--scan.min-interval=-1s": "-1s", "--scan.min-interval=1": "1", "once --summary": "--summary",
		"once --format=json --textfile=x": "--textfile", "--path.procfs=/": "--path.procfs", "--path.procfs=": "--path.procfs",
		"tree --web.max-requests=1": "--web.max-requests", "once --user=x": "--user",
		"--workload.runtime-unit=k3s":                                            "--workload.runtime-unit",
		"tree --workload.runtime-unit=a.service --workload.runtime-unit=b.slice": "b.slice",
	} {
		_, _, err := parse(strings.Fields(line))
		var usage usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want one of usage that tells %s", line, err, want)
		}
	}
}

func TestUTF8Locale(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false}, {"", "", "C", false}, {"", "", "POSIX", false}, {"", "", "en_US", false},
		{"", "", "C.UTF-8", true}, {"", "", "de_DE.utf8", true}, {"", "", "en_US.UTF-8@euro", true},
		{"C", "C.UTF-8", "C.UTF-8", false}, {"C.UTF-8", "C", "C", true}, {"", "C", "C.UTF-8", false}, {"", "C.utf8", "C", true},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		if got := utf8Locale(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
