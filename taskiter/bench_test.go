// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"testing"
)

// BenchmarkScan scans the host as it is; run it beside as many processes as it
// is to be measured with.
func BenchmarkScan(b *testing.B) {
	s, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	tasks := 0
	b.ReportAllocs()
	for b.Loop() {
		snap, err := s.Scan(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		tasks = snap.TasksRead
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
}
