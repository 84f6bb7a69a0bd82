// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// goodRules are rules that all processes comply with.
const goodRules = `
rules:
  - name: plain
    match: {unit: [t-plain.service]}
    expect: {restricts: [fs.write_file]}
    min_processes: 1
  - name: hardened
    match: {exe: [/opt/t/hardened]}
    min_processes: 1
`

// checkCheck runs what people and their scripts run.
func (h *host) checkCheck(t *T) {
	write(t, "/tmp/good.yml", goodRules)
	write(t, "/tmp/wrong.yml", strings.Replace(goodRules, "match:", "matches:", 1))
	write(t, "/tmp/doubtful.yml", "rules:\n  - {name: x, match: {comm: [x]}}\n")
	plain := fmt.Sprint(find(t, programs+"plain", "/system.slice/t-plain.service").pid)
	bare := fmt.Sprint(find(t, programs+"bare", "/system.slice/t-bare.service").pid)
	write(t, "/tmp/snapshot.json", must(t, landlockd, "once", "--format=json"))

	const host, good = "--config.file=" + configFile, "--config.file=/tmp/good.yml"
	const recorded = "--snapshot=/tmp/snapshot.json"
	runCommands(t, []command{
		{"this host", 0, []string{"check", host}, 1, "t-inst@b.service"},
		{"this host, without privileges", mallory, []string{"check", good}, 3, ""},
		{"unknown key", 0, []string{"check", "--config.file=/tmp/wrong.yml"}, 2, "/tmp/wrong.yml:4:5: "},
		{"no such file", 0, []string{"check", "--config.file=/tmp/none.yml"}, 2, "/tmp/none.yml"},
		// As anybody, from here on.
		{"all is well", mallory, []string{"check", good, recorded}, 0, "plain"},
		{"violated", mallory, []string{"check", host, recorded}, 1, "t-fork.service"},
		{"violated, json", mallory, []string{"check", host, recorded, "-o", "json"}, 1, `"forking-main"`},
		{"violated, nagios", mallory, []string{"check", host, recorded, "-o", "nagios"}, 1, "WARNING"},
		{"one process", mallory, []string{"check", recorded, "--pid=" + plain, "--expect=state=sandboxed,min_depth=1,restricts=fs.write_file,net.*"}, 0, ""},
		{"too shallow", mallory, []string{"check", recorded, "--pid=" + plain, "--expect=min_depth=2"}, 1, ""},
		{"no sandbox", mallory, []string{"check", recorded, "--pid=" + bare, "--expect=state=sandboxed"}, 1, ""},
		{"no such process", mallory, []string{"check", recorded, "--pid=2147483647", "--expect=state=sandboxed"}, 3, ""},
		{"explained", mallory, []string{"explain", host, recorded, plain}, 0, "plain"},
		{"valid", mallory, []string{"check-config", configFile}, 0, "OK"},
		{"valid but doubtful", mallory, []string{"check-config", "/tmp/doubtful.yml"}, 0, "comm"},
		{"not valid", mallory, []string{"check-config", "/tmp/wrong.yml"}, 2, "/tmp/wrong.yml:4:5: "},
	})
	checkSuggested(t)
}

// command is a landlockd that ends by itself, what it ends with, and some of what it
// says.
type command struct {
	name string
	uid  uint32
	args []string
	code int
	says string
}

// runCommands runs commands, and sees what comes of them.
func runCommands(t *T, commands []command) {
	var running sync.WaitGroup
	slots := make(chan struct{}, 2) // as many as the guest has processors
	for _, c := range commands {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			cmd := exec.Command(landlockd, c.args...)
			if c.uid != 0 {
				cmd = as(c.uid, landlockd, c.args...)
			}
			out, err := cmd.CombinedOutput()
			if code := exitCode(err); code != c.code || !strings.Contains(string(out), c.says) {
				t.Errorf("%s: landlockd %s: exit code %d, want %d and %q in:\n%s", c.name, strings.Join(c.args, " "), code, c.code, c.says, out)
			}
		})
	}
	running.Wait()
}

// checkSuggested sees that the rules that are suggested for this host hold on it.
func checkSuggested(t *T) {
	rules := must(t, landlockd, "rules", "suggest", "--snapshot=/tmp/snapshot.json")
	write(t, "/tmp/suggested.yml", rules+"\n")
	for _, unit := range []string{"t-plain.service", "t-slice.service", "t-victim.service"} {
		if !strings.Contains(rules, unit) {
			t.Errorf("no rule is suggested for %s", unit)
		}
	}
	for _, args := range [][]string{{"check-config", "/tmp/suggested.yml"}, {"check", "--config.file=/tmp/suggested.yml", "--snapshot=/tmp/snapshot.json"}} {
		if out, err := exec.Command(landlockd, args...).CombinedOutput(); err != nil {
			t.Errorf("with suggested rules, landlockd %s: %v: %s\n%s", strings.Join(args, " "), err, out, rules)
		}
	}
}

// exitCode returns that of a program that ended, else -1.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -1
	}
}

// checkReload loads rules again, through the service manager.
func (h *host) checkReload(t *T) {
	reload := func(text string) page {
		before := h.scrape(t)
		write(t, configFile, text)
		must(t, "systemctl", "reload", "landlockd.service")
		var p page
		eventually(t, "landlockd has tried", func() error {
			p = h.scrape(t)
			const attempt = "landlockd_config_last_reload_successful"
			if p[attempt] == before[attempt] && p["landlockd_config_hash"] == before["landlockd_config_hash"] {
				return errors.New("nothing changed")
			}
			return nil
		})
		return p
	}
	var good page
	// The commands of a check before, some of which asked landlockd for a scan, have ended.
	eventually(t, "the user's commands have ended", func() error {
		good = h.scrape(t)
		if n := good[`landlock_rule_processes{result="starting",rule="untrusted"}`]; n > 0 {
			return fmt.Errorf("%g are starting", n)
		}
		return nil
	})
	bad := reload(strings.Replace(mainRules, "min_depth: 3", "min_depth: three", 1))
	if bad["landlockd_config_last_reload_successful"] != 0 || bad["landlockd_config_hash"] != good["landlockd_config_hash"] {
		t.Errorf("a bad file: %v", bad.With("landlockd_config_"))
	}
	if d := ofRules(t, bad).Diff(ofRules(t, good)); d != "" {
		t.Errorf("a bad file changed what rules say:\n%s", d)
	}
	if said := journal("landlockd.service"); !strings.Contains(said, "three") || !strings.Contains(said, configFile) {
		t.Errorf("the log does not say what is wrong:\n%s", said)
	}
	// One that is right has an effect at once.
	more := reload(mainRules + "  - {name: more, match: {unit: [t-bare.service]}}\n")
	if more["landlockd_config_last_reload_successful"] != 1 || more[violation("unsandboxed", "more", "t-bare.service")] != 1 {
		t.Errorf("a good file: %v", more.With("landlock"))
	}
	same := reload(mainRules)
	if d := ofRules(t, same).Diff(ofRules(t, good)); d != "" {
		t.Errorf("the rules of before say something else:\n%s", d)
	}
	t.Must(os.WriteFile(configFile, []byte(mainRules), 0o644))
}
