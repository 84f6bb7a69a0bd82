// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// daemon is a running landlockd that serves.
type daemon struct {
	*process
	addr   string
	client *http.Client
	scheme string
	before holding // when it was ready
}

// daemonOptions say how a daemon is started. The zero value is the usual way.
type daemonOptions struct {
	binary string
	args   []string
	prefix []string // a launcher's command line, to which landlockd's is appended
	addr   string
	change func(*exec.Cmd)
	client *http.Client // for TLS
}

// startDaemon starts a daemon on a free loopback port and waits until it is ready.
func startDaemon(t testing.TB, o daemonOptions) *daemon {
	t.Helper()
	testenv.NeedRoot(t)
	d := newDaemon(t, o)
	d.becomesReady(t)
	return d
}

// becomesReady waits until the daemon is ready. What it holds then is all that it may hold at
// the end of the test.
func (d *daemon) becomesReady(t testing.TB) {
	t.Helper()
	eventually(t, "the daemon is ready", func() bool {
		if d.ended() {
			t.Fatalf("the daemon ended with code %d: %s", d.cmd.ProcessState.ExitCode(), &d.stderr)
		}
		status, _ := d.try("/-/ready")
		return status == http.StatusOK || status == http.StatusUnauthorized
	})
	d.before = d.holds(t)
	t.Cleanup(func() { d.leavesNothing(t) })
}

const (
	apiFlag = "--api.socket="
	// usualAPI as an argument stands for none: the socket is at its usual place.
	usualAPI = apiFlag + "usual"
)

func newDaemon(t testing.TB, o daemonOptions) *daemon {
	t.Helper()
	d := &daemon{addr: o.addr, client: o.client, scheme: "https"}
	if o.client == nil {
		d.client, d.scheme = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http"
	}
	d.client.Timeout = patience
	args := append([]string{}, o.prefix...)
	if o.binary == "" {
		o.binary = landlockd
	}
	args = append(args, o.binary)
	if d.addr == "" {
		d.addr = testenv.FreeAddress(t)
		args = append(args, "--web.listen-address="+d.addr)
	}
	if !slices.ContainsFunc(o.args, func(a string) bool { return strings.HasPrefix(a, apiFlag) }) {
		args = append(args, apiFlag) // one that runs here has the usual place
	}
	d.process = launch(t, o.change, append(args, slices.DeleteFunc(o.args, func(a string) bool { return a == usualAPI })...)...)
	return d
}

// try makes one request and returns its status, 0 if there was no answer.
func (d *daemon) try(path string) (int, string) {
	resp, err := d.client.Get(d.scheme + "://" + d.addr + path)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(body)
}

// do makes one request; headers are names and values by turns.
func (d *daemon) do(t testing.TB, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.scheme+"://"+d.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v\nthe daemon's log: %s", method, path, err, &d.stderr)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// scrape returns the metrics.
func (d *daemon) scrape(t testing.TB) metrics {
	t.Helper()
	resp, body := d.do(t, http.MethodGet, "/metrics")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("/metrics: %s: %s", resp.Status, body)
	}
	return parseMetrics(t, body)
}

// stop ends the daemon as a service manager does.
func (d *daemon) stop(t testing.TB) {
	t.Helper()
	d.leavesNothing(t)
	d.signal(t, syscall.SIGTERM)
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM: %s", code, &d.stderr)
	}
}

// pause is what a poll waits that makes the daemon work.
const pause = 100 * time.Millisecond
