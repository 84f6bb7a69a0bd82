// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestPages(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"GET", "/metrics", 200}, {"GET", "/-/healthy", 200}, {"GET", "/-/ready", 200},
		{"GET", "/nowhere", 404}, {"GET", "/metrics/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/-/reload", 405}, {"POST", "/-/reload", 403},
		{"POST", "/metrics", 405}, {"DELETE", "/", 405},
	} {
		if resp, body := d.do(t, c.method, c.path); resp.StatusCode != c.status {
			t.Errorf("%s %s: %s: %s", c.method, c.path, resp.Status, body)
		}
	}
	for _, path := range []string{"/", "/metrics", "/-/healthy"} {
		resp, body := d.do(t, http.MethodHead, path)
		if resp.StatusCode != http.StatusOK || body != "" || resp.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s: %s, %v: %q", path, resp.Status, resp.Header, body)
		}
	}
	if _, body := d.do(t, http.MethodGet, "/"); !strings.Contains(body, `href="./metrics"`) {
		t.Errorf("the landing page does not lead to the metrics:\n%s", body)
	}
}

func TestOpenMetrics(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	for accept, want := range map[string]string{
		"": "text/plain", "text/plain;version=0.0.4": "text/plain", "application/openmetrics-text;version=1.0.0": "application/openmetrics-text",
	} {
		resp, body := d.do(t, http.MethodGet, "/metrics", "Accept", accept)
		if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, want) {
			t.Errorf("Accept %q: %s", accept, kind)
		}
		if ends := strings.HasSuffix(body, "# EOF\n"); ends != strings.Contains(want, "openmetrics") {
			t.Errorf("Accept %q: ends in # EOF: %v", accept, ends)
		}
	}
	resp, _ := d.do(t, http.MethodGet, "/metrics", "Accept-Encoding", "gzip")
	if got := resp.Header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding %q, want gzip", got)
	}
}

func TestTelemetryPath(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{"--web.telemetry-path=/a/b"}})
	if status, body := d.try("/a/b"); status != 200 || !strings.Contains(body, "landlock_enabled 1") {
		t.Errorf("%d: %s", status, body)
	}
	if status, _ := d.try("/metrics"); status != 404 {
		t.Errorf("/metrics: %d", status)
	}
	want := "metrics=http://" + d.addr + "/a/b"
	eventually(t, "the log has "+want, func() bool { return strings.Contains(d.stderr.String(), want) })
}

func TestSaysWhoCanRead(t *testing.T) {
	testenv.NeedRoot(t)
	const warning = "Other hosts can read the metrics without authentication"
	if d := startDaemon(t, daemonOptions{}); strings.Contains(d.stderr.String(), warning) {
		t.Errorf("on loopback: %s", &d.stderr)
	}
	_, port, err := net.SplitHostPort(testenv.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, daemonOptions{addr: "127.0.0.1:" + port, args: []string{"--web.listen-address=:" + port}})
	eventually(t, "a warning that others can read", func() bool {
		return strings.Contains(d.stderr.String(), warning)
	})
}

// Several addresses are one daemon.
func TestTwoAddresses(t *testing.T) {
	testenv.NeedRoot(t)
	second := testenv.FreeAddress(t)
	d := startDaemon(t, daemonOptions{args: []string{"--web.listen-address=" + second}})
	other := *d
	other.addr = second
	eventually(t, "the second address answers", func() bool {
		status, _ := other.try("/-/ready")
		return status == http.StatusOK
	})
	d.scrape(t).has(t, "landlock_enabled", 1)
	other.scrape(t).has(t, "landlock_enabled", 1)
	d.stop(t)
}

func TestScrapeTimeoutHeader(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	for _, timeout := range []string{"10", "0.000001", "-1", "NaN", "x", "1e300"} {
		resp, body := d.do(t, http.MethodGet, "/metrics", "X-Prometheus-Scrape-Timeout-Seconds", timeout)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, "landlockd_scan_success ") {
			t.Errorf("timeout %s: %s", timeout, resp.Status)
		}
	}
}
