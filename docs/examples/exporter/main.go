// SPDX-License-Identifier: Apache-2.0

// Exporter serves the kernel's facts of this host among metrics of its own, at
// http://127.0.0.1:9999/metrics. It needs CAP_BPF and CAP_PERFMON.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9999", "where to serve")
	flag.Parse()
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		log.Fatal(err)
	}
	// Clients that come at once share a scan.
	shared := scan.NewShared(source, scan.SharedOptions{})
	own := prometheus.NewRegistry()
	own.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "example_up", Help: "Always 1.",
	}, func() float64 { return 1 }))
	http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		snap, err := shared.Scan(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		facts := &collector.Scrape{Snapshot: snap}
		promhttp.HandlerFor(prometheus.Gatherers{own, facts}, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	log.Fatal(http.ListenAndServe(*address, nil)) //nolint:gosec // an example
}
