// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/rulesets"
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

// BenchmarkScanOfAssets scans 10 000 processes in 500 domains, without objects and with 40.
func BenchmarkScanOfAssets(b *testing.B) {
	ground, err := rulesets.NewGround(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(ground.Close)
	one := ground.Objects[:10] // directories and files
	ground.Objects = nil
	for range 4 {
		ground.Objects = append(ground.Objects, one...)
	}
	startActor(b, "many", "9500", "0")
	startActor(b, "many", "500", "1")
	without, with := openSource(b, Options{}), openSource(b, Options{})
	with.Resolve(ground)
	// In turns: other work on the host takes from both.
	var took [2]time.Duration
	for b.Loop() {
		for i, s := range []*Source{without, with} {
			before := cpuTime(b)
			mustScan(b, s)
			took[i] += cpuTime(b) - before
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "us/without")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "us/with")
	b.ReportMetric(float64(with.control.LongestNs[objectProgramPROGRAM_WAYS]), "ns/longest-call")
}

// cpuTime returns the processor time that this process has had.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
		p.reset()
		if err := p.block(records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tasks, "ns/task")
}
