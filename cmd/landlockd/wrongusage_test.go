// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

// What is wrong is said in people's words, with what was meant.
func TestWrongUsage(t *testing.T) {
	for line, want := range map[string]string{
		"srvices":                      `there is no command "srvices": did you mean services? (try --help)`,
		"kill":                         `there is no command "kill" (try --help)`,
		"rules sugest":                 `rules has no command "sugest": did you mean suggest? (try rules --help)`,
		"rules":                        `rules: want one of suggest, known behind it (try rules --help)`,
		"ps extra":                     `ps has no use for "extra" (try ps --help)`,
		"explain":                      `explain: the PROCESS is missing (try explain --help)`,
		"explain 99999999999999999999": `99999999999999999999 is no PID`,
		"--confin=x":                   `serve has no flag --confin: did you mean --confine? (try serve --help)`,
		"tree --no-flod":               `tree has no flag --no-flod: did you mean --no-fold? (try tree --help)`,
		"once --workload.limit=1.5":    `--workload.limit "1.5": want a whole number (try once --help)`,
		"--web.max-requests=1e99":      `--web.max-requests "1e99": want a whole number (try serve --help)`,
		"ps --sockets":                 `ps has no flag --sockets: it is one of explain (try ps --help)`,
		"ps -x":                        `ps has no flag -x (try ps --help)`,
		"--timeout=5s ps":              `flags stand behind the command: put ps first (try serve --help)`,
		"--path.procfs=/proc ps":       `flags stand behind the command: put ps first (try serve --help)`,
		"-d tree":                      `flags stand behind the command: put tree first (try serve --help)`,
		"check --expect":               `--expect: want a value behind it (try check --help)`,
		"once --summary=1":             `--summary takes no value: leave out "=1" (try once --help)`,
		"ps --state=sandbxed":          `--state "sandbxed": did you mean sandboxed? (try ps --help)`,
		"ps -o yaml":                   `--output "yaml": want one of table, wide, json, jsonl (try ps --help)`,
		"once --timeout=5":             `--timeout "5": want a time with its unit, such as 30s or 1m30s (try once --help)`,
		"--log.level=debgu":            `--log.level "debgu": did you mean debug? (try serve --help)`,
		"--log.format=x":               `--log.format "x": want one of logfmt, json (try serve --help)`,
		"ps --right=fs.writefile":      `--right "fs.writefile" matches no right: did you mean fs.write_file?`,
		"ps --right=x.*":               `--right "x.*" matches no right: docs/rights.md has their names`,
	} {
		_, err := parse(strings.Fields(line))
		var usage usageError
		if !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
}

// all returns a model of every command.
func all(t *testing.T) []*kingpin.CmdModel {
	t.Helper()
	app := kingpin.New("landlockd", "")
	for _, c := range commands(newGlobals()) {
		c.declare(app)
	}
	return app.Model().FlattenedCommands()
}

// No flag of any command has its parser speak to people.
func TestWrongValuesOfAllFlags(t *testing.T) {
	for _, c := range all(t) {
		for _, f := range c.Flags {
			_, err := parse(append(strings.Fields(c.FullCommand), "--"+f.Name+"=\x01 no such value", "1"))
			text := ""
			if err != nil {
				text = err.Error()
			}
			for _, foreign := range []string{"strconv", "time:", "enum", "parsing", "invalid", "unexpected", "unrecognized"} {
				if strings.Contains(text, foreign) {
					t.Errorf("%s --%s: %s", c.FullCommand, f.Name, text)
				}
			}
		}
	}
}

// A command has the flags that it heeds and no other.
func TestNoFlagIsIgnored(t *testing.T) {
	scans := []string{"serve", "once", "services", "ps", "tree", "top", "check", "rules suggest", "rules known", "explain", "ui"}
	assets := []string{"serve", "once", "services", "top", "check", "rules suggest", "rules known", "explain", "doctor", "ui"}
	heeds := map[string][]string{
		"source": scans, "workload.fold": scans, "workload.runtime-unit": scans, "path.rootfs": assets,
		"path.procfs": append([]string{"doctor"}, scans...), "path.sysfs": append([]string{"doctor"}, scans...),
		"log.level": {"serve", "once"}, "log.format": {"serve", "once"},
	}
	for _, c := range all(t) {
		for flag, commands := range heeds {
			has := slices.ContainsFunc(c.Flags, func(f *kingpin.FlagModel) bool { return f.Name == flag })
			if want := slices.Contains(commands, c.FullCommand); has != want {
				t.Errorf("%s has --%s: %t, want %t", c.FullCommand, flag, has, want)
			}
		}
	}
	wantUsage(t, "check-config --source=both", "check-config has no flag --source")
	wantUsage(t, "doctor --log.level=debug", "doctor has no flag --log.level")
}
