// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

// accepts are what clients ask for: Prometheus 2.42, 3.5, browsers, and other forms.
var accepts = []string{
	"", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "text/plain;version=0.0.4",
	"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
		"text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5," +
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.1",
	"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}

// An answer is what promhttp answers of a registry, byte for byte, with the same headers.
func TestAnswerAsPromhttp(t *testing.T) {
	s := &collector.Scrape{Daemon: &collector.Daemon{
		Sources: map[string]string{"taskiter": "", "\"b\\\n": "x"}, Confined: map[string]bool{"landlock": true},
	}}
	registry := prometheus.NewRegistry()
	registry.MustRegister(s)
	theirs := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	scans := scan.NewShared(&fakeSource{}, scan.SharedOptions{})
	defer scans.Close()
	h, err := New(Options{Scans: scans, DisableExporterMetrics: true,
		Collector: func(*scan.Snapshot) *collector.Scrape { return s }})
	if err != nil {
		t.Fatal(err)
	}
	for _, accept := range accepts {
		for _, encoding := range []string{"", "gzip", "identity"} {
			for _, query := range []string{"", "?name[]=landlockd_confined&name[]=landlockd_scan_success", "?name[]=none"} {
				headers := []string{"Accept", accept, "Accept-Encoding", encoding}
				got, want := do(t, h, "GET", "/metrics"+query, headers...), do(t, theirs, "GET", "/metrics"+query, headers...)
				header := got.Header().Clone()
				header.Del("Content-Length")
				header.Del("X-Content-Type-Options")
				if !maps.EqualFunc(header, want.Header(), slices.Equal[[]string]) {
					t.Errorf("%q %q: headers %v, want %v", accept, encoding, header, want.Header())
				}
				if a, b := plainBody(t, got), plainBody(t, want); got.Code != want.Code || !bytes.Equal(a, b) {
					t.Errorf("%q %q %q: %d\n%s\nwant %d\n%s", accept, encoding, query, got.Code, a, want.Code, b)
				}
			}
		}
	}
}

// plainBody returns the body of an answer, not compressed.
func plainBody(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	var from io.Reader = w.Body
	if w.Header().Get("Content-Encoding") == "gzip" {
		var err error
		if from, err = gzip.NewReader(w.Body); err != nil {
			t.Fatal(err)
		}
	}
	body, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Scrapes that come at once share what is gathered, in each form that they ask for; one that
// comes later gets its own, though the snapshot is the same.
func TestScrapesAtOnceAreGatheredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gathered atomic.Int32
		scans := scan.NewShared(&fakeSource{takes: time.Second}, scan.SharedOptions{MinInterval: time.Hour})
		defer scans.Close()
		h, err := New(Options{Scans: scans, DisableExporterMetrics: true,
			Collector: func(s *scan.Snapshot) *collector.Scrape {
				return &collector.Scrape{Snapshot: s, Config: &collector.Config{Loaded: int(gathered.Add(1))}}
			}})
		if err != nil {
			t.Fatal(err)
		}
		loaded := func(n, headers string) {
			body := string(plainBody(t, do(t, h, "GET", "/metrics", "Accept-Encoding", headers)))
			if !strings.Contains(body, `landlockd_rules{status="loaded"} `+n+"\n") {
				t.Errorf("%s:\n%s", headers, body)
			}
		}
		var all sync.WaitGroup
		for _, encoding := range []string{"gzip", "gzip", "identity", ""} {
			all.Go(func() { loaded("1", encoding) })
		}
		all.Wait()
		loaded("2", "gzip")
		loaded("3", "gzip")
	})
}

// Who comes while others are answered gets nothing of before.
func TestLateScrapeIsGatheredAnew(t *testing.T) {
	var a answers
	a.gather = func(*scan.Snapshot) ([]*dto.MetricFamily, error) { return nil, nil }
	show := shown{"x", http.NotFoundHandler()}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	snap := &scan.Snapshot{}
	first, second := a.arrive(), a.arrive()
	made := first.answer(snap, r, show)
	late := a.arrive()
	if second.answer(snap, r, show) != made {
		t.Error("the second is not the first's")
	}
	anew := late.answer(snap, r, show)
	if anew == made {
		t.Error("who came late got what was gathered before")
	}
	if second.answer(&scan.Snapshot{}, r, show) == anew {
		t.Error("another snapshot's")
	}
	if first.answer(nil, r, show) == second.answer(nil, r, show) {
		t.Error("failed scans share")
	}
	first.leave()
	second.leave()
	if a.last == nil {
		t.Error("forgotten too early")
	}
	if late.leave(); a.last != nil {
		t.Error("a snapshot is kept")
	}
}
