// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// BenchmarkScan scans the host as it is; run it beside as many processes as it
// is to be measured with. Where the kernel lacks the attribute, another file of
// one line stands in for it.
func BenchmarkScan(b *testing.B) {
	s, err := Open(Options{})
	if err != nil {
		s, err = open(Options{}, testKernel, func(*probe) (dialect, error) {
			return dialect{form: hexID, file: "domain"}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
		s.reader.attr = newTaskFile("sessionid")
	}
	defer s.Close()
	var snap *scan.Snapshot
	for range 2 * maxInterval {
		snap = mustScan(b, s)
	}
	b.ReportAllocs()
	for b.Loop() {
		snap = mustScan(b, s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(snap.Processes)), "ns/process")
	b.ReportMetric(float64(len(snap.Processes)), "processes")
}
