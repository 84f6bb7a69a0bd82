// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/exposition"
	"github.com/landlockd/landlockd/test/systemd/timing"
)

const (
	// textfile is where Debian's node_exporter looks, and the unit writes.
	textfile = "/var/lib/prometheus/node-exporter/landlockd.prom"
	// nodeURL is where node_exporter serves it.
	nodeURL = "http://127.0.0.1:9100/metrics"
	// lastScan is when what is in the file was true.
	lastScan = "landlockd_last_scan_timestamp_seconds"
)

// staleTold is the notification that people must get of a textfile that nobody writes.
func staleTold(status string) expectation {
	return expectation{
		status: status,
		labels: map[string]string{
			"alertname": "LandlockdTextfileStale", "cluster": "home", "instance": "guest:9100", "job": "node", "severity": "warning",
		},
		runbook:     runbooks + "LandlockdTextfileStale.md",
		summary:     "The landlockd textfile of guest:9100 is old.",
		description: regexp.MustCompile(`^It was written [0-9a-z. ]+ ago: what it says of guest:9100 may no longer hold\.$`),
	}
}

// checkTextfile changes over from the daemon to a timer that writes a file
// (docs/install.md, Without a port), and stops the timer for a while. The file comes
// first, and the daemon goes last: no alert is due in between.
func (h *host) checkTextfile(t *T) {
	told := []expectation{violatedTold("firing"), violatedTold("resolved")}
	h.inbox.expect(t, "before", told...)

	write(t, "/etc/systemd/system/landlockd-textfile.timer.d/often.conf",
		fmt.Sprintf("[Timer]\nOnBootSec=\nOnBootSec=1s\nOnUnitInactiveSec=%s\nAccuracySec=100ms\n", timing.TextfilePause))
	must(t, "systemctl", "enable", "--now", "landlockd-textfile.timer")
	h.nodeServes(t)
	must(t, "systemctl", "stop", "landlockd-textfile.timer", "landlockd-textfile.service")
	began := writtenAt(t)

	// What follows takes less time than it takes until people are notified.
	configurePrometheus(t, timing.Scrape)
	must(t, "systemctl", "reload", "prometheus.service")
	eventually(t, "Prometheus has it from node_exporter alone: by two ways a host counts twice", hasNodeAlone)
	must(t, "systemctl", "disable", "--now", "landlockd.service")
	checkSummary(t)

	at, ok := h.inbox.await(len(told)+1, began.Add(timing.StaleWithin))
	if !ok {
		t.Fatalf("no alert within %s: came %v; %s; firing: %v", timing.StaleWithin, h.inbox.all(), pace(), firing())
	}
	stale := at.Sub(began)
	if stale < timing.TextfileAge+timing.TextfileFor {
		t.Errorf("told of a file %s old", stale)
	}
	told = append(told, staleTold("firing"))
	h.inbox.expect(t, "without the timer", told...)

	must(t, "systemctl", "start", "landlockd-textfile.timer")
	within(t, setUpTime, "it is written again", func() error {
		if !writtenAt(t).After(began) {
			return errors.New("it is not")
		}
		return nil
	})
	began = writtenAt(t)
	at, ok = h.inbox.await(len(told)+1, began.Add(timing.FreshWithin))
	if !ok {
		t.Fatalf("not resolved within %s: came %v; %s; firing: %v", timing.FreshWithin, h.inbox.all(), pace(), firing())
	}
	t.Fact("info", fmt.Sprintf("stale after %s of at most %s, fresh after %s of at most %s; %s", stale.Round(100*time.Millisecond), timing.StaleWithin,
		at.Sub(began).Round(100*time.Millisecond), timing.FreshWithin, pace()))
	told = append(told, staleTold("resolved"))
	h.inbox.expect(t, "with the timer", told...)
	onlyFired(t, "in this boot", violatedTold("firing"), staleTold("firing"))
	if err := evaluated(ruleFiles...); err != nil {
		t.Errorf("%v", err)
	}
}

// hasNodeAlone reports whether the cluster's figures are those of one host, which
// node_exporter has.
func hasNodeAlone() error {
	got, err := query("landlock_rule_violated")
	if err != nil {
		return err
	}
	if d := got.Diff(ruleSeries("node", "guest:9100")); d != "" {
		return errors.New(d)
	}
	got, err = query("cluster:landlock_hosts:count == 1 and cluster:landlockd_hosts:count == 1 and cluster:landlockd_hosts_missing:count == 0")
	if err == nil && len(got) != 1 {
		return errors.New("the cluster is not one host")
	}
	return err
}

// nodeServes waits until node_exporter serves what is in the file, all of it, and
// the timer writes it again and again.
func (h *host) nodeServes(t *T) {
	var first float64
	writes := 0
	within(t, setUpTime, "node_exporter serves a file that the timer writes", func() error {
		b, err := os.ReadFile(textfile)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, journal("landlockd-textfile.service"))
		}
		file, err := exposition.Parse(string(b))
		if err != nil {
			return err
		}
		served, err := getPage(nodeURL)
		if err != nil {
			return err
		}
		// Another one may have been written in between: then they differ.
		if d := served.With("landlock").Diff(file); d != "" {
			return errors.New(d)
		}
		if n := served["node_textfile_scrape_error"]; n != 0 {
			return fmt.Errorf("node_textfile_scrape_error is %v", n)
		}
		if file["landlockd_scan_success"] != 1 || file[`landlockd_rules{status="applied"}`] != float64(len(watched)) {
			return fmt.Errorf("not a whole scan:\n%s", file.With("landlockd_"))
		}
		if age := time.Since(timestamp(file[lastScan])); age < 0 || age > timing.TextfilePause+timing.Allowance {
			return fmt.Errorf("it is %s old\n%s", age, journal("landlockd-textfile.service"))
		}
		if file[lastScan] != first {
			first = file[lastScan]
			writes++
		}
		if writes < 2 {
			return fmt.Errorf("written %d times", writes)
		}
		return nil
	})
}

// writtenAt returns when the scan in the file was made.
func writtenAt(t *T) time.Time {
	b, err := os.ReadFile(textfile)
	t.Must(err)
	p, err := exposition.Parse(string(b))
	t.Must(err)
	return timestamp(p[lastScan])
}

// timestamp returns the time of a timestamp as metrics have it.
func timestamp(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)) }

// checkSummary wants counts without names of those who have a metrics server of
// their own: the same counts as in metrics, and nothing of what runs here.
func checkSummary(t *T) {
	text := must(t, "landlockd", "once", "--format=json", "--summary")
	var s struct {
		Summary bool
		Counts  struct{ Workloads, Processes map[string]float64 }
		Rules   []struct {
			Name     string
			Violated bool
		}
	}
	t.Must(json.Unmarshal([]byte(text), &s))
	want := map[string]float64{"sandboxed": float64(len(watched)), "partial": 0, "unknown": 0}
	for state, n := range want {
		if s.Counts.Workloads[state] != n || s.Counts.Processes[state] != n {
			t.Errorf("%s: %v workloads, %v processes, want %v", state, s.Counts.Workloads[state], s.Counts.Processes[state], n)
		}
	}
	if !s.Summary || s.Counts.Processes["unsandboxed"] == 0 || len(s.Rules) != len(watched) {
		t.Errorf("a summary of what? %s", text)
	}
	for _, rule := range s.Rules {
		if rule.Violated {
			t.Errorf("rule %s is violated", rule.Name)
		}
	}
	p, err := getPage(nodeURL)
	t.Must(err)
	names := []string{"/", ".service", ".scope"}
	for _, name := range workloadLabel.FindAllStringSubmatch(p.With("landlock_workload_processes{").String(), -1) {
		names = append(names, name[1])
	}
	for _, w := range watched {
		names = append(names, w.service)
	}
	for _, name := range names {
		// The schema has a slash in its name.
		if strings.Contains(strings.Replace(text, "landlockd/snapshot/v1", "", 1), name) {
			t.Errorf("the summary names %q: %s", name, text)
		}
	}
}

var workloadLabel = regexp.MustCompile(`workload="([^"]+)"`)
