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

// BenchmarkParse has a pass take the records of a read.
func BenchmarkParse(b *testing.B) {
	const tasks = 200
	var records []byte
	for tid := range int32(tasks) {
		records = append(records, encode(objectRecordKindRECORD_TASK, objectTaskRecord{Tid: tid, Pid: tid, NrThreads: 1})...)
	}
	p := pass{}
	p.reset()
	b.ReportAllocs()
	for b.Loop() {
		p.tasks = p.tasks[:0]
		if err := parse(records, &p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tasks, "ns/task")
}
