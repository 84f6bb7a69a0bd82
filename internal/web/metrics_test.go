// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

// fakeSource is a host of one sandboxed process, whose scans take a while.
type fakeSource struct {
	takes time.Duration
	scans atomic.Int32
	fail  atomic.Pointer[error]
}

func (f *fakeSource) Scan(ctx context.Context) (*scan.Snapshot, error) {
	f.scans.Add(1)
	begin := time.Now()
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := f.fail.Load(); err != nil {
		return nil, *err
	}
	return &scan.Snapshot{
		Time: begin, Duration: f.takes,
		Kernel: scan.Kernel{Release: "6.12.9", Landlock: scan.Enabled, ABI: 6},
		Processes: []scan.Process{{PID: secretPID, Comm: scan.Comm{'s', 'e', 'c', 'r', 'e', 't'}, Exe: "/secret/path",
			State: scan.Sandboxed, Depth: 1, MaxDepth: 1, NumTasks: 1}},
		Tasks:     []scan.Task{{TID: secretPID, State: scan.Sandboxed}},
		TasksRead: 1,
	}, nil
}

func (f *fakeSource) Close() error { return nil }

// secretPID has so many digits that no other number in a page has them by chance.
const secretPID = 1987654321

func wantLines(t *testing.T, w *httptest.ResponseRecorder, lines ...string) {
	t.Helper()
	body := "\n" + w.Body.String()
	for _, line := range lines {
		if !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("%d without %q:\n%s", w.Code, line, body)
		}
	}
}

func wantNoFact(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if strings.Contains(w.Body.String(), "\nlandlock_") {
		t.Errorf("a fact without a scan:\n%s", w.Body)
	}
}

func TestScrape(t *testing.T) {
	h := newHandlerOf(t, &fakeSource{}, Options{}, collector.Daemon{
		Sources: map[string]string{"taskiter": ""}, Confined: map[string]bool{"landlock": true},
	})
	w := do(t, h, "GET", "/metrics")
	wantLines(t, w, `landlock_processes{state="sandboxed"} 1`, "landlockd_scan_success 1",
		`landlockd_source_available{reason="",source="taskiter"} 1`, `landlockd_confined{mechanism="landlock"} 1`,
		`landlockd_scan_errors_total{reason="timeout"} 0`)
	if body := w.Body.String(); strings.Contains(body, strconv.Itoa(secretPID)) || strings.Contains(body, "secret") {
		t.Errorf("a fact of one process:\n%s", body)
	}
	if problems, err := promlint.New(w.Body).Lint(); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func series(body string) (n int) {
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// The budget is about 60 series for all that does not depend on workloads and rules.
func TestSeriesBudget(t *testing.T) {
	full := series(do(t, newHandler(t, &fakeSource{}, Options{}), "GET", "/metrics").Body.String())
	lean := do(t, newHandler(t, &fakeSource{}, Options{DisableExporterMetrics: true}), "GET", "/metrics")
	t.Logf("%d series, %d without those of the exporter", full, series(lean.Body.String()))
	if full > 72 {
		t.Errorf("%d series", full)
	}
	for _, prefix := range []string{"go_", "process_", "promhttp_"} {
		if strings.Contains(lean.Body.String(), "\n"+prefix) {
			t.Errorf("a disabled series: %s", prefix)
		}
	}
}

func TestNegotiation(t *testing.T) {
	h := newHandler(t, &fakeSource{}, Options{})
	w := do(t, h, "GET", "/metrics", "Accept", "application/openmetrics-text;version=1.0.0")
	if ct := w.Header().Get("Content-Type"); !strings.HasPrefix(ct, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("Content-Type %q", ct)
	}
	if !strings.HasSuffix(w.Body.String(), "\n# EOF\n") {
		t.Error("no # EOF")
	}
	w = do(t, h, "GET", "/metrics", "Accept-Encoding", "gzip")
	if ce := w.Header().Get("Content-Encoding"); ce != "gzip" {
		t.Fatalf("Content-Encoding %q", ce)
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !bytes.Contains(body, []byte("landlockd_scan_success 1")) {
		t.Errorf("%v:\n%s", err, body)
	}
}

func TestConcurrentScrapesShareOneScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{takes: 200 * time.Millisecond}
		h := newHandler(t, src, Options{})
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() { wantLines(t, do(t, h, "GET", "/metrics"), "landlockd_scan_success 1") })
		}
		wg.Wait()
		do(t, h, "GET", "/metrics")
		if n := src.scans.Load(); n != 1 {
			t.Errorf("%d scans, want 1", n)
		}
		time.Sleep(time.Second)
		do(t, h, "GET", "/metrics")
		if n := src.scans.Load(); n != 2 {
			t.Errorf("%d scans, want 2", n)
		}
	})
}

func TestScrapeTimeout(t *testing.T) {
	for _, c := range []struct {
		header string
		answer time.Duration
	}{
		{"10", 9500 * time.Millisecond},
		{"1", 500 * time.Millisecond},
		{"0.0000001", minTimeout / 2},
		{"1e300", maxWait - safetyOffset},
		{"NaN", maxWait - safetyOffset},
		{"-5", maxWait - safetyOffset},
		{"garbage\xff", maxWait - safetyOffset},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHandler(t, &fakeSource{takes: time.Hour}, Options{})
			begin := time.Now()
			w := do(t, h, "GET", "/metrics", timeoutHeader, c.header)
			if took := time.Since(begin); took != c.answer {
				t.Errorf("%q: answered after %v, want %v", c.header, took, c.answer)
			}
			if w.Code != 200 {
				t.Errorf("%q: %d", c.header, w.Code)
			}
			wantNoFact(t, w)
			wantLines(t, w, "landlockd_scan_success 0", `landlockd_scan_errors_total{reason="timeout"} 1`)
		})
	}
}

// A host whose kernel cannot do it, and one that fails for a time.
func TestFailingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{}
		var logged bytes.Buffer
		h := newHandlerOf(t, src, Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))},
			collector.Daemon{Sources: map[string]string{"taskiter": "no_btf"}})
		wantLines(t, do(t, h, "GET", "/metrics"), "landlockd_scan_success 1")
		var err error = fmt.Errorf("load: %w", &scan.Error{Reason: "no_btf"})
		src.fail.Store(&err)
		for i := range 20 {
			time.Sleep(time.Second)
			w := do(t, h, "GET", "/metrics")
			wantNoFact(t, w)
			wantLines(t, w, "landlockd_scan_success 0", `landlockd_source_available{reason="no_btf",source="taskiter"} 0`,
				fmt.Sprintf(`landlockd_scan_errors_total{reason="no_btf"} %d`, i+1))
		}
		src.fail.Store(nil)
		time.Sleep(time.Second)
		wantLines(t, do(t, h, "GET", "/metrics"), "landlockd_scan_success 1", `landlockd_scan_errors_total{reason="no_btf"} 20`)
		if n := strings.Count(logged.String(), "\n"); n != 2 {
			t.Errorf("%d lines logged, want one for each change:\n%s", n, &logged)
		}
	})
}

func TestFlappingIsNotLoggedEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		l := outcomeLog{logger: slog.New(slog.NewTextHandler(&logged, nil))}
		for range 300 { // 60 s
			l.report(context.DeadlineExceeded)
			time.Sleep(100 * time.Millisecond)
			l.report(nil)
			time.Sleep(100 * time.Millisecond)
		}
		if n := strings.Count(logged.String(), "\n"); n < 2 || n > 6 {
			t.Errorf("%d lines:\n%s", n, &logged)
		}
	})
}

func TestMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeSource{takes: time.Second}, Options{MaxRequests: 2})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { wantLines(t, do(t, h, "GET", "/metrics"), "landlockd_scan_success 1") })
		}
		synctest.Wait()
		if w := do(t, h, "GET", "/metrics"); w.Code != 503 {
			t.Errorf("third scrape: %d, want 503", w.Code)
		}
		if w := do(t, h, "GET", "/-/healthy"); w.Code != 200 {
			t.Errorf("health during scrapes: %d", w.Code)
		}
		wg.Wait()
		if w := do(t, h, "GET", "/metrics"); w.Code != 200 {
			t.Errorf("scrape after the others: %d", w.Code)
		}
	})
}

func TestClientThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeSource{takes: time.Second}, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
		}()
		synctest.Wait()
		cancel()
		<-done
		if w.Body.Len() != 0 {
			t.Errorf("an answer to nobody:\n%s", w.Body)
		}
		wantLines(t, do(t, h, "GET", "/metrics"), "landlockd_scan_success 1",
			`landlockd_scan_errors_total{reason="internal"} 0`, `landlockd_scan_errors_total{reason="timeout"} 0`)
	})
}

func BenchmarkScrape(b *testing.B) {
	s := scan.NewShared(&fakeSource{}, scan.SharedOptions{MinInterval: time.Hour})
	defer s.Close()
	h, err := New(Options{Scans: s, DisableExporterMetrics: true, Collector: func(snap *scan.Snapshot) *collector.Scrape {
		return &collector.Scrape{Snapshot: snap, Daemon: &collector.Daemon{Scans: s.Stats()}}
	}})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
