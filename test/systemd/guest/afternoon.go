// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The page, and where its commands run.
const (
	adoptFile      = "/payload/adopt.md"
	afternoonDir   = "/root/afternoon"
	fleetDashboard = "/usr/share/landlockd/grafana/landlockd-fleet.json"
	afternoonRules = "/etc/landlockd/rules.d/host.yml"
)

// afternoonTime is how long it is waited for one thing.
const afternoonTime = 5 * time.Minute

// notInGuest are commands of the page that other tests run.
var notInGuest = map[string]string{"make demo": "it needs Go; e2e.TestMakeDemo"}

// checkAfternoon does what docs/adopt.md says, in its own words, on a host that has three
// services with sandboxes and has never seen landlockd. The rules that come of it are committed
// and hold.
func (h *host) checkAfternoon(t *T) {
	startWatched(t)
	startCodex(t)
	t.Must(os.MkdirAll(afternoonDir, 0o755))
	t.Must(copyFile("/payload/landlockd.deb", afternoonDir+"/landlockd_0_amd64.deb"))
	b, err := os.ReadFile(adoptFile)
	t.Must(err)
	said := map[string]string{}
	for _, s := range adoptSteps(string(b)) {
		began, done := time.Now(), 0
		for _, do := range s.does {
			switch {
			case do.file != "":
				write(t, do.file, do.text)
			case notInGuest[do.text] == "":
				said[do.text] = afternoonCommand(t, do.text)
			default:
				continue
			}
			done++
		}
		if done > 0 {
			t.Fact("info", fmt.Sprintf("%s: %.1f s", s.title, time.Since(began).Seconds()))
		}
	}
	if len(said) < 15 {
		t.Fatalf("only %d commands were found", len(said))
	}
	rules, err := os.ReadFile(afternoonRules)
	t.Must(err)
	for _, w := range watched {
		if !strings.Contains(string(rules), w.service+".service") {
			t.Errorf("no rule is about %s.service:\n%s", w.service, rules)
		}
	}
	repository := filepath.Dir(filepath.Dir(afternoonRules))
	if left := must(t, "git", "-C", repository, "status", "--porcelain"); left != "" {
		t.Errorf("not committed: %s", left)
	}
	for command, want := range map[string]string{
		"landlockd check":       `(?m)^0 of [4-9] rules violated\.$`,
		"landlockd rules known": `(?m)^codex +other_version +0/1 +0\.171\.0$`,
	} {
		if !regexp.MustCompile(want).MatchString(said[command]) {
			t.Errorf("%s: no %s in\n%s", command, want, said[command])
		}
	}
}

// startCodex starts what is installed as codex 0.171.0, where npm puts it for all users, and does
// as that does: what it starts is in no domain. The real one is twice as large as all else here;
// test/programs starts a real older one, which sandboxes what it starts.
func startCodex(t *T) {
	const dir = "/usr/local/lib/node_modules/@openai/codex"
	const program = dir + "/node_modules/@openai/codex-linux-x64/vendor/" +
		"x86_64-unknown-linux-musl/codex/codex"
	write(t, dir+"/package.json", `{"name": "@openai/codex", "version": "0.171.0"}`)
	t.Must(os.MkdirAll(filepath.Dir(program), 0o755))
	t.Must(copyFile("/bin/bash", program))
	must(t, "systemd-run", "--unit=codex", program, "-c", "sleep infinity; true")
}

// checkDashboard sees that a service that loses its sandbox is noticed, by landlockd check and by
// Prometheus, and that each panel of the fleet dashboard gets data.
func (h *host) checkDashboard(t *T) {
	victim := watched[0].service + ".service"
	dir := "/etc/systemd/system/" + victim + ".d"
	t.Must(os.MkdirAll(dir, 0o755))
	write(t, dir+"/free.conf",
		"[Service]\nExecStart=\nExecStart="+programs+watched[0].service+" infinity\n")
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", victim)
	began := time.Now()
	afternoonDashboard(t)
	t.Fact("info", fmt.Sprintf("until the fleet dashboard has its data: %.1f s",
		time.Since(began).Seconds()))
	began = time.Now()
	free := regexp.MustCompile(`(?m)^.*\bunsandboxed\b.*\b` + regexp.QuoteMeta(victim) + `\b.*$`)
	within(t, afternoonTime, "it is noticed that "+victim+" is free", func() error {
		out, err := output(exec.Command("landlockd", "check"))
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !free.MatchString(out) {
			return fmt.Errorf("%w: %s", err, out)
		}
		const one = `landlock_rule_violations{reason="unsandboxed", workload="%s"} == 1`
		found, err := query(fmt.Sprintf(one, victim))
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("of Prometheus: %v", found)
		}
		return err
	})
	t.Fact("info", fmt.Sprintf("until Prometheus and landlockd check say that %s is free: %.1f s more",
		victim, time.Since(began).Seconds()))
}

// startWatched starts services in sandboxes.
func startWatched(t *T) {
	for _, w := range watched {
		t.Must(copyFile("/bin/sleep", programs+w.service))
		write(t, "/etc/systemd/system/"+w.service+".service",
			"[Service]\nType=exec\nExecStart="+launcher+"-- "+programs+w.service+" infinity\n")
	}
	must(t, "systemctl", "daemon-reload")
	for _, w := range watched {
		must(t, "systemctl", "start", w.service+".service")
	}
}

// busy is what landlockd says of a host that has no time for it, as an emulated one may.
const busy = "try again, with a longer --timeout"

// afternoonCommand runs a command as root's shell does, and returns what it printed. A person
// runs "landlockd check" again while something is younger than its grace, and any command of a
// host that is busy.
func afternoonCommand(t *T, command string) string {
	var out string
	within(t, afternoonTime, command, func() (err error) {
		cmd := exec.Command("bash", "-e", "-c", command)
		cmd.Dir = afternoonDir
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "HOME=/root")
		out, err = output(cmd)
		if err != nil && command != "landlockd check" && !strings.Contains(err.Error(), busy) {
			t.Fatalf("%v", err)
		}
		return err
	})
	return out
}

// adoptStep is a section of the page: commands, and files that it shows whole.
type adoptStep struct {
	title string
	does  []adoptDoes
}

// adoptDoes is a command, or a file and what is in it.
type adoptDoes struct{ text, file string }

// adoptSteps reads the page: all lines of sh blocks, those behind root's prompt of console
// blocks, and yaml blocks that begin with a path.
func adoptSteps(page string) []adoptStep {
	var steps []adoptStep
	block, file, text := "", "", ""
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		last := len(steps) - 1
		switch {
		case strings.HasPrefix(line, "## "):
			steps = append(steps, adoptStep{title: strings.TrimPrefix(line, "## ")})
		case last < 0:
		case strings.HasPrefix(line, "```"):
			if block == "yaml" && file != "" {
				steps[last].does = append(steps[last].does, adoptDoes{text, file})
			}
			if file, text = "", ""; block == "" {
				block = strings.TrimPrefix(line, "```")
			} else {
				block = ""
			}
		case block == "yaml" && text == "" && strings.HasPrefix(line, "# /"):
			file = strings.TrimPrefix(line, "# ")
			text = line + "\n"
		case block == "yaml":
			text += line + "\n"
		case block == "sh" && line != "":
			// root has no need of sudo.
			steps[last].does = append(steps[last].does, adoptDoes{text: strings.TrimPrefix(line, "sudo ")})
		case block == "console" && strings.HasPrefix(line, "# "):
			steps[last].does = append(steps[last].does, adoptDoes{text: strings.TrimPrefix(line, "# ")})
		}
	}
	return steps
}

// withoutData are the panels that have nothing to show of this host, and why.
var withoutData = map[string]string{
	"Kept from an asset":                "no assets are named",
	"Services within reach of an asset": "the same",
	"Hosts without landlockd":           "no other exporter is scraped",
	"Hosts not joined":                  "the same",
	"Waived rules":                      "no rule has a waiver",
	"Which hosts have other rules":      "there is one host",
	"Hosts that cannot be scanned":      "it can be",
	"Denials":                           "this kernel does not count them (Linux 6.15)",
}

// variable is one of a dashboard.
var variable = regexp.MustCompile(`\$\{?\w+\}?`)

// afternoonDashboard waits until exactly those panels of the fleet dashboard are empty that have
// nothing to show.
func afternoonDashboard(t *T) {
	b, err := os.ReadFile(fleetDashboard)
	t.Must(err)
	var d struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	t.Must(json.Unmarshal(b, &d))
	empty := slices.Sorted(maps.Keys(withoutData))
	panels := 0
	within(t, afternoonTime, "the panels have data", func() error {
		must(t, "true") // something that ends
		var got []string
		panels = 0
		for _, p := range d.Panels {
			if len(p.Targets) == 0 {
				continue
			}
			panels++
			found := 0
			for _, target := range p.Targets {
				series, err := query(variable.ReplaceAllStringFunc(target.Expr, chosen))
				if err != nil {
					return err
				}
				found += len(series)
			}
			if found == 0 {
				got = append(got, p.Title)
			}
		}
		if slices.Sort(got); !slices.Equal(got, empty) {
			return fmt.Errorf("without data are %q, want %q; %s", got, empty, pace())
		}
		return nil
	})
	t.Fact("info", fmt.Sprintf("%d panels, %d of them without data, as they should be",
		panels, len(empty)))
	if panels < 30 {
		t.Errorf("the dashboard has %d panels", panels)
	}
}

// chosen is what a variable is by default.
func chosen(name string) string {
	if strings.Contains(name, "__rate_interval") {
		return "1m"
	}
	return ".*"
}
