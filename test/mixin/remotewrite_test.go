// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/fleet"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestRemoteWrite: an agent scrapes hosts and sends to a central Prometheus, which
// is stopped for a while, and later crashes; in between the agent is started anew.
// Afterwards there is a sample of each scrape, and what the central side records is
// what the hosts are made of.
func TestRemoteWrite(t *testing.T) {
	t.Parallel()
	const away = 8 * time.Second
	hosts := fleet.Generate(fleet.Options{Seed: 5, Hosts: 3, Units: 12}) // all of them steady
	served := serveFleet(t, hosts)
	dir := t.TempDir()
	central := &prometheus{url: "http://" + testenv.FreeAddress(t)}
	write(t, filepath.Join(dir, "central.yml"), map[string]any{
		"global":     map[string]string{"evaluation_interval": "1s"},
		"rule_files": []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")},
	})
	start := func() *daemon {
		return startDaemon(t, central.url+"/-/ready", "prometheus", "--config.file="+filepath.Join(dir, "central.yml"),
			"--storage.tsdb.path="+filepath.Join(dir, "central"), "--web.enable-remote-write-receiver",
			"--web.listen-address="+strings.TrimPrefix(central.url, "http://"), "--log.level=warn")
	}
	// caughtUp waits until nothing is missing from a time to now.
	caughtUp := func(from time.Time) {
		t.Helper()
		to := time.Now()
		within(t, patience, func() string { return central.missing(served, hosts, from, to) })
		within(t, patience, func() string { return central.covered(hosts) })
	}
	server := start()
	agent := startAgent(t, dir, central.url, served.scrapeConfigs)
	within(t, patience, func() string { return central.covered(hosts) })
	began := time.Now()

	server.stop()
	time.Sleep(away)
	server = start()
	caughtUp(began)

	// What it has not sent when it is stopped is lost: so it has sent all.
	stopped := time.Now()
	agent.stop()
	startAgent(t, dir, central.url, served.scrapeConfigs)
	again := time.Now()
	within(t, patience, func() string {
		if served.scrapesOf(hosts[0], again, time.Now()) < 5 {
			return "an agent that was started anew scrapes nothing"
		}
		return ""
	})
	caughtUp(again)

	server.crash()
	time.Sleep(away)
	start()
	caughtUp(again)
	if missing := central.missing(served, hosts, began, stopped); missing != "" {
		t.Errorf("what was there before the crash: %s", missing)
	}

	// That it would be seen if the last samples before the crash were missing, or
	// those of the time after it.
	for range 3 {
		served.note(hosts[1].Path())
	}
	if central.missing(served, hosts, again, time.Now()) == "" {
		t.Error("three samples too few were not noticed")
	}
}

func startAgent(t *testing.T, dir, central string, scrapeConfigs []any) *daemon {
	t.Helper()
	write(t, filepath.Join(dir, "agent.yml"), map[string]any{
		"global":         map[string]string{"scrape_interval": "1s"},
		"scrape_configs": scrapeConfigs,
		"remote_write": []any{map[string]any{"url": central + "/api/v1/write",
			"queue_config": map[string]string{"batch_send_deadline": "500ms", "max_backoff": "1s"}}},
	})
	agent := testenv.FreeAddress(t)
	return startDaemon(t, "http://"+agent+"/-/ready", "prometheus", agentMode(), "--config.file="+filepath.Join(dir, "agent.yml"),
		"--storage.agent.path="+filepath.Join(dir, "agent"), "--web.listen-address="+agent, "--log.level=error")
}

// within repeats a check until it has nothing to say.
func within(t *testing.T, limit time.Duration, check func() string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(problem)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// covered says what is wrong with the recorded process coverage of the hosts.
func (p *prometheus) covered(hosts []*fleet.Host) string {
	processes := fleet.TruthOf(hosts).Processes
	c := check{expr: `sum by (state) (cluster:landlock_processes:sum)`, instant: true, want: map[string]float64{}}
	for state := range processes {
		c.want["state="+scan.State(state).String()] = float64(processes[state])
	}
	return c.run(p)
}

// missing says of which host there are fewer samples than it was scraped between
// two times. A sample has the time at which its scrape began, which is not the one
// at which the host was asked: a second of difference is allowed for.
func (p *prometheus) missing(served *served, hosts []*fleet.Host, from, to time.Time) string {
	var m model.Matrix
	expr := fmt.Sprintf(`up{job="landlockd"}[%ds]`, int(time.Since(from).Seconds())+2)
	if err := p.get("query", map[string][]string{"query": {expr}}, &m); err != nil {
		return err.Error()
	}
	for _, h := range hosts {
		want, got := served.scrapesOf(h, from, to), 0
		for _, series := range m {
			if string(series.Metric["instance"]) != h.Instance() {
				continue
			}
			for _, v := range series.Values {
				if at := v.Timestamp.Time(); !at.Before(from.Add(-time.Second)) && !at.After(to.Add(time.Second)) {
					got++
				}
			}
		}
		if want == 0 || got < want {
			return fmt.Sprintf("%s was scraped %d times from %s to %s, and has %d samples of that", h.Name, want, from, to, got)
		}
	}
	return ""
}
