// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

// sameHost is a source of one snapshot.
type sameHost struct{ snap *scan.Snapshot }

func (s sameHost) Scan(context.Context) (*scan.Snapshot, error) { return s.snap, nil }
func (sameHost) Close() error                                   { return nil }

// nowhere is a http.ResponseWriter that keeps nothing.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) WriteHeader(int)             {}
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }

// scraper returns what scrapes a host of so many processes in 100 workloads, once.
func scraper(tb testing.TB, processes int, encoding string) func() {
	snap := &scan.Snapshot{Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: 7}}
	for i := range 100 {
		snap.Workloads = append(snap.Workloads, scan.Workload{Name: fmt.Sprintf("service-%02d", i)})
	}
	for i := range processes {
		snap.Processes = append(snap.Processes, scan.Process{
			PID: int32(i + 1), State: scan.Unsandboxed, FirstTask: int32(i), NumTasks: 1, Workload: int32(i % 100),
		})
		snap.Tasks = append(snap.Tasks, scan.Task{TID: int32(i + 1), State: scan.Unsandboxed})
	}
	snap.Conclude()
	scans := scan.NewShared(sameHost{snap}, scan.SharedOptions{MinInterval: -1})
	tb.Cleanup(func() { scans.Close() })
	workloads := &collector.WorkloadOptions{Limit: 100, Slots: &collector.Slots{}}
	h, err := New(Options{Scans: scans, Collector: func(s *scan.Snapshot) *collector.Scrape {
		return &collector.Scrape{
			Snapshot: s, Rights: true, Hardening: true, Workloads: workloads,
			Daemon: &collector.Daemon{Scans: scans.Stats()},
		}
	}})
	if err != nil {
		tb.Fatal(err)
	}
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", encoding)
	return func() { h.ServeHTTP(nowhere{http.Header{}}, r) }
}

// BenchmarkHandler is a whole scrape but for the network and the source.
func BenchmarkHandler(b *testing.B) {
	for _, encoding := range []string{"identity", "gzip"} {
		for _, processes := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", encoding, processes), func(b *testing.B) {
				scrape := scraper(b, processes, encoding)
				b.ReportAllocs()
				for b.Loop() {
					scrape()
				}
			})
		}
	}
}

// A scrape takes no memory for a further process, and with its 280 series less than two
// allocations for each.
func TestScrapeAllocatesNothingPerProcess(t *testing.T) {
	allocs := func(processes int) float64 {
		return testing.AllocsPerRun(50, scraper(t, processes, "gzip"))
	}
	few, many := allocs(200), allocs(10_000)
	t.Logf("%v allocations beside 200 processes, %v beside 10 000", few, many)
	if many-few > 20 { // what runs beside may allocate now and then
		t.Errorf("%v allocations beside 200 processes, %v beside 10 000", few, many)
	}
	if few > 560 {
		t.Errorf("%v allocations, want at most 560", few)
	}
}
