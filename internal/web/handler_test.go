// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

func newHandler(t *testing.T, src scan.Source, o Options) *Handler {
	t.Helper()
	return newHandlerOf(t, src, o, collector.Daemon{})
}

// newHandlerOf returns a handler that exposes the facts of a snapshot and a daemon's.
func newHandlerOf(t *testing.T, src scan.Source, o Options, d collector.Daemon) *Handler {
	t.Helper()
	o.Scans = scan.NewShared(src, scan.SharedOptions{})
	t.Cleanup(func() { o.Scans.Close() })
	o.Collector = func(snap *scan.Snapshot) *collector.Scrape {
		d := d
		d.Scans = o.Scans.Stats()
		return &collector.Scrape{Snapshot: snap, Daemon: &d}
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// do makes one request; headers are names and values by turns.
func do(t *testing.T, h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A daemon that hangs says so, and serves on.
func TestHealthy(t *testing.T) {
	var hangs error
	h := newHandler(t, &fakeSource{}, Options{Healthy: func() error { return hangs }})
	for _, c := range []struct {
		err    error
		status int
	}{{nil, http.StatusOK}, {errors.New("no scan ends"), http.StatusServiceUnavailable}, {nil, http.StatusOK}} {
		hangs = c.err
		w := do(t, h, http.MethodGet, "/-/healthy")
		if w.Code != c.status || c.err != nil && !strings.Contains(w.Body.String(), c.err.Error()) {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if w := do(t, h, http.MethodGet, "/metrics"); w.Code != http.StatusOK {
			t.Errorf("metrics: %d", w.Code)
		}
	}
}

func TestRoutes(t *testing.T) {
	h := newHandler(t, &fakeSource{}, Options{})
	h.SetReady()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"HEAD", "/", 200},
		{"GET", "/metrics", 200}, {"HEAD", "/metrics", 200},
		{"GET", "/-/healthy", 200}, {"GET", "/-/ready", 200},
		{"GET", "/metrics/", 404}, {"GET", "//metrics", 404}, {"GET", "/metrics/../x", 404},
		{"GET", "/debug/pprof/", 404}, {"GET", "/v1/processes", 404},
		{"POST", "/", 405}, {"POST", "/metrics", 405}, {"PUT", "/-/ready", 405}, {"OPTIONS", "/metrics", 405},
		{"POST", "/nowhere", 404},
	} {
		w := do(t, h, c.method, c.path)
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.status)
		}
		if allow := w.Header().Get("Allow"); (allow == "GET, HEAD") != (c.status == 405) {
			t.Errorf("%s %s: Allow %q", c.method, c.path, allow)
		}
	}
}

func TestReadiness(t *testing.T) {
	h := newHandler(t, &fakeSource{}, Options{})
	want := func(status int, when string) {
		t.Helper()
		if w := do(t, h, "GET", "/-/ready"); w.Code != status {
			t.Errorf("%s: %d, want %d", when, w.Code, status)
		}
		if w := do(t, h, "GET", "/-/healthy"); w.Code != 200 {
			t.Errorf("%s: not healthy: %d", when, w.Code)
		}
	}
	want(503, "at first")
	h.SetReady()
	want(200, "when ready")
	h.SetStopping()
	want(503, "when stopping")
	h.SetReady()
	want(503, "when ready after stopping")
}

// A daemon that never becomes ready says why, whatever phase it is in.
func TestUnready(t *testing.T) {
	const why = "not ready, for a reason\n"
	h := newHandler(t, &fakeSource{}, Options{Unready: why})
	for _, phase := range []func(){func() {}, h.SetReady, h.SetStopping} {
		phase()
		if w := do(t, h, "GET", "/-/ready"); w.Code != http.StatusServiceUnavailable || w.Body.String() != why {
			t.Errorf("/-/ready: %d %q", w.Code, w.Body)
		}
		if w := do(t, h, "GET", "/-/healthy"); w.Code != http.StatusOK {
			t.Errorf("/-/healthy: %d", w.Code)
		}
	}
}

func TestTelemetryPath(t *testing.T) {
	h := newHandler(t, &fakeSource{}, Options{TelemetryPath: "/"})
	if w := do(t, h, "GET", "/"); !strings.Contains(w.Body.String(), "landlockd_scan_success 1") {
		t.Errorf("no metrics at /:\n%s", w.Body)
	}
	if w := do(t, h, "GET", "/metrics"); w.Code != 404 {
		t.Errorf("/metrics: %d", w.Code)
	}
	h = newHandler(t, &fakeSource{}, Options{TelemetryPath: "/{host}/m"})
	if w := do(t, h, "GET", "/{host}/m"); w.Code != 200 {
		t.Errorf("path with braces: %d", w.Code)
	}
	for _, path := range []string{"metrics", "/-/ready", "/-/healthy", "/m?x", "/m#x", "http://host/metrics"} {
		o := Options{Scans: scan.NewShared(&fakeSource{}, scan.SharedOptions{}), Collector: none, TelemetryPath: path}
		if _, err := New(o); err == nil {
			t.Errorf("telemetry path %q was taken", path)
		}
	}
	if _, err := New(Options{Collector: none}); err == nil {
		t.Error("a handler without scans")
	}
}

func none(*scan.Snapshot) *collector.Scrape { return nil }

// The page is a scrape: it shares a scan with others, and its limits are theirs.
func TestLandingPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{takes: time.Second}
		h := newHandler(t, src, Options{TelemetryPath: `/"><script>alert(1)</script>`, MaxRequests: 2})
		var w *httptest.ResponseRecorder
		var both sync.WaitGroup
		both.Go(func() { w = do(t, h, "GET", "/") })
		both.Go(func() { do(t, h, "GET", "/") })
		synctest.Wait()
		if w := do(t, h, "GET", "/"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("a third one at a time: %d", w.Code)
		}
		both.Wait()
		body := w.Body.String()
		if strings.Contains(body, "<script") {
			t.Errorf("not escaped:\n%s", body)
		}
		for _, want := range []string{
			`href="./-/healthy"`, `href="./-/ready"`, "<!DOCTYPE html>", "6.12.9", "100 %",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in:\n%s", want, body)
			}
		}
		if ct := w.Header().Get("Content-Type"); ct != "text/html; charset=utf-8" {
			t.Errorf("Content-Type %q", ct)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("Content-Security-Policy %q", csp)
		}
		if n := src.scans.Load(); n != 1 {
			t.Errorf("%d scans, want 1", n)
		}
		if strings.Contains(body, strconv.Itoa(secretPID)) || strings.Contains(body, "secret") {
			t.Errorf("a fact of one process:\n%s", body)
		}
		time.Sleep(time.Minute)
		if n := src.scans.Load(); n != 1 {
			t.Errorf("%d scans while nobody looks", n)
		}
		err := errors.New("broken")
		src.fail.Store(&err)
		if body := do(t, h, "GET", "/").Body.String(); !strings.Contains(body, "could not be scanned") ||
			strings.Contains(body, "6.12.9") {
			t.Errorf("of a scan that failed:\n%s", body)
		}
	})
}
