// SPDX-License-Identifier: Apache-2.0

package collector_test

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

// A registry for each scrape: no fact of an older scan can be in it.
func ExampleScrape() {
	snap := &scan.Snapshot{Processes: []scan.Process{{PID: 1, State: scan.Unsandboxed}}}
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector.Scrape{Snapshot: snap})
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
	}
	for _, family := range families {
		if family.GetName() == "landlock_processes" {
			for _, m := range family.Metric {
				fmt.Println(m.Label[0].GetValue(), m.Gauge.GetValue())
			}
		}
	}
	// Output:
	// partial 0
	// sandboxed 0
	// unknown 0
	// unsandboxed 1
}
