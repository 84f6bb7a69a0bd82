// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/fleet"
)

// TestRemoteWrite: an agent scrapes hosts and sends to a central Prometheus,
// which is away for a while. Nothing of that time is missing afterwards, and
// what the central side records is what the hosts are made of.
func TestRemoteWrite(t *testing.T) {
	t.Parallel()
	const away = 8 * time.Second
	hosts := fleet.Generate(fleet.Options{Seed: 5, Hosts: 3, Units: 12}) // all of them steady
	server, err := fleet.NewServer(hosts, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(server)
	t.Cleanup(func() { srv.Close(); server.Close() })

	dir := t.TempDir()
	central := &prometheus{"http://" + freeAddress(t)}
	write(t, filepath.Join(dir, "central.yml"), map[string]any{
		"global":     map[string]string{"evaluation_interval": "1s"},
		"rule_files": []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")},
	})
	start := func() func() {
		return startDaemon(t, central.url+"/-/ready", "prometheus", "--config.file="+filepath.Join(dir, "central.yml"),
			"--storage.tsdb.path="+filepath.Join(dir, "central"), "--web.enable-remote-write-receiver",
			"--web.listen-address="+strings.TrimPrefix(central.url, "http://"), "--log.level=warn")
	}
	stop := start()
	startAgent(t, dir, central.url, srv.URL, hosts)

	within(t, 30*time.Second, func() string { return central.covered(hosts) })
	stop()
	left := time.Now()
	time.Sleep(away)
	start()
	within(t, 60*time.Second, func() string {
		// The agent sends in the order of time: samples of now are the last.
		return central.gap(left.Add(-time.Second), time.Now().Add(-2*time.Second), away/2)
	})
	within(t, 30*time.Second, func() string { return central.covered(hosts) })
	// That a gap would be seen: there was nothing a minute before.
	if central.gap(left.Add(-time.Minute), time.Now(), away/2) == "" {
		t.Error("a gap of most of a minute was not noticed")
	}
}

func startAgent(t *testing.T, dir, central, hostsURL string, hosts []*fleet.Host) {
	t.Helper()
	var targets []any
	for _, h := range hosts {
		targets = append(targets, map[string]any{
			"targets": []string{strings.TrimPrefix(hostsURL, "http://")},
			"labels":  map[string]string{"instance": h.Name, "cluster": h.Cluster, "__metrics_path__": h.Path()},
		})
	}
	write(t, filepath.Join(dir, "agent.yml"), map[string]any{
		"global":         map[string]string{"scrape_interval": "1s"},
		"scrape_configs": []any{map[string]any{"job_name": "landlockd", "static_configs": targets}},
		"remote_write": []any{map[string]any{"url": central + "/api/v1/write",
			"queue_config": map[string]string{"batch_send_deadline": "500ms", "max_backoff": "1s"}}},
	})
	agent := freeAddress(t)
	startDaemon(t, "http://"+agent+"/-/ready", "prometheus", "--enable-feature=agent", "--config.file="+filepath.Join(dir, "agent.yml"),
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

// gap says which samples of the hosts are missing between two times: those
// from one sample to the next may not be further apart than most.
func (p *prometheus) gap(from, to time.Time, most time.Duration) string {
	var m model.Matrix
	expr := fmt.Sprintf("landlock_enabled[%ds]", int(time.Since(from).Seconds())+1)
	if err := p.get("query", map[string][]string{"query": {expr}}, &m); err != nil {
		return err.Error()
	}
	if len(m) == 0 {
		return "no series"
	}
	for _, series := range m {
		last := from
		for _, v := range series.Values {
			if d := v.Timestamp.Time().Sub(last); d > most {
				return fmt.Sprintf("%s: nothing for %s before %s", series.Metric, d, v.Timestamp.Time())
			}
			last = v.Timestamp.Time()
		}
		if d := to.Sub(last); d > most {
			return fmt.Sprintf("%s: nothing for the last %s", series.Metric, d)
		}
	}
	return ""
}
