// SPDX-License-Identifier: Apache-2.0

package web

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Whether an answer is compressed is what promhttp decides; but for what nothing is acceptable
// to, where that panics, and identity is served.
func TestAcceptsGzipAsPromhttp(t *testing.T) {
	theirs := promhttp.HandlerFor(prometheus.Gatherers{}, promhttp.HandlerOpts{})
	rnd := rand.New(rand.NewPCG(5, 6))
	pick := func(all ...string) string { return all[rnd.IntN(len(all))] }
	seen := map[string]int{}
	for range 20000 {
		var lines, items []string
		for range rnd.IntN(4) {
			items = append(items, pick("", " ")+pick("gzip", "identity", "*", "br", "zstd", "deflate")+
				pick("", "", ";q=0", ";q=0.5", "; q=1", ";q=0.001", " ;q=1.0")+pick("", " "))
		}
		lines = append(lines, strings.TrimSpace(strings.Join(items, ",")))
		if rnd.IntN(5) == 0 {
			lines = append(lines, pick("gzip", "identity;q=0.7", "*"))
		}
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header["Accept-Encoding"] = lines
		want, panicked := encodingOf(theirs, r)
		got := acceptsGzip(r.Header)
		if got && panicked || !panicked && got != (want == "gzip") {
			t.Fatalf("%q: %v, by promhttp %q", lines, got, want)
		}
		seen[want]++
	}
	if seen["gzip"] < 100 || seen[""] < 100 {
		t.Errorf("one-sided: %v", seen)
	}
	for _, malformed := range []string{"gzip;q=2", "gzip;q=-1", "gzip;level=1", "gzip;q=NaN", "gzip;q="} {
		if acceptsGzip(http.Header{"Accept-Encoding": {malformed}}) {
			t.Errorf("%q: compressed", malformed)
		}
	}
}

// encodingOf returns the Content-Encoding that a handler answers with.
func encodingOf(h http.Handler, r *http.Request) (encoding string, panicked bool) {
	defer func() { panicked = recover() != nil }()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Header().Get("Content-Encoding"), false
}
