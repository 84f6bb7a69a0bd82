// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/test/promapi"
	"github.com/landlockd/landlockd/test/testenv"
)

// daemon is a program that runs.
type daemon struct {
	process *os.Process
	gone    chan struct{}
}

// stop lets it end in its own way.
func (d *daemon) stop() {
	_ = d.process.Signal(syscall.SIGTERM)
	<-d.gone
}

// crash ends it at once (SIGKILL): it writes nothing more.
func (d *daemon) crash() {
	_ = d.process.Kill()
	<-d.gone
}

// startDaemon runs a program until the test ends, and returns once url answers 200.
func startDaemon(t *testing.T, url, name string, args ...string) *daemon {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool(t, name), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{cmd.Process, make(chan struct{})}
	go func() { _ = cmd.Wait(); close(d.gone) }()
	t.Cleanup(func() {
		d.crash()
		if b, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s:\n%s", name, b[max(0, len(b)-4000):])
		}
		log.Close()
	})
	deadline := time.After(patience)
	for {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return d
			}
		}
		select {
		case <-d.gone:
			t.Fatalf("%s ended", name)
		case <-deadline:
			t.Fatalf("%s does not answer at %s", name, url)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// patience is how long a server may take for what it does within seconds: a test catches what
// hangs, also on a host that does much else.
const patience = 5 * time.Minute

// often is the usual intervals of a server's configuration. A scrape may take as long as is
// between two, so that none fails on a host that does much else.
func often() map[string]string {
	return map[string]string{"scrape_interval": "5s", "evaluation_interval": "1s"}
}

// prometheus is a server that runs.
type prometheus struct {
	url  string
	data string // its folder; empty if somebody else chose it
}

// startPrometheus runs one with a configuration, and further arguments.
func startPrometheus(t *testing.T, config any, args ...string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, config)
	p := &prometheus{url: "http://" + testenv.FreeAddress(t)}
	p.data = filepath.Join(dir, "data")
	startDaemon(t, p.url+"/-/ready", "prometheus", append(args, "--config.file="+file, "--storage.tsdb.path="+p.data,
		"--web.listen-address="+p.url[len("http://"):], "--log.level=warn")...)
	return p
}

// query runs an instant query, or a range query of the last seconds whose last
// values it returns.
func (p *prometheus) query(expr string, instant bool) (model.Vector, error) {
	if instant {
		var v model.Vector
		err := p.get("query", url.Values{"query": {expr}}, &v)
		return v, err
	}
	now := time.Now()
	var m model.Matrix
	err := p.get("query_range", url.Values{"query": {expr}, "step": {"1"},
		"start": {now.Add(-20 * time.Second).Format(time.RFC3339Nano)}, "end": {now.Format(time.RFC3339Nano)}}, &m)
	var v model.Vector
	for _, s := range m {
		last := s.Values[len(s.Values)-1]
		v = append(v, &model.Sample{Metric: s.Metric, Value: last.Value, Timestamp: last.Timestamp})
	}
	return v, err
}

// get reads what an endpoint of the API returns into result.
func (p *prometheus) get(endpoint string, values url.Values, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if endpoint == "query" || endpoint == "query_range" {
		result = &struct{ Result any }{result}
	}
	return promapi.Get(ctx, p.url, endpoint, values, result)
}
