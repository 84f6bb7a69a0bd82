// SPDX-License-Identifier: Apache-2.0

// Package self shows landlockd's own process: under the names, and with the words, that
// client_golang's collectors have for it, which read eight files for each scrape, and with
// what nobody looks at left out.
package self

import (
	"bytes"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/families"
)

// Process is this process. It is safe for concurrent use.
type Process struct {
	metrics []metric
	started float64 // seconds since the epoch, 0 if it is not known
}

// New returns this process. What it is later, it shows later.
func New() *Process {
	p := &Process{metrics: all()}
	if pid, err := pidInProcfs(); err == nil {
		if self, err := procfs.NewProc(pid); err == nil {
			if stat, err := self.Stat(); err == nil {
				p.started, _ = stat.StartTime()
			}
		}
	}
	return p
}

// pidInProcfs returns this process's PID in /proc, which may be mounted in another PID
// namespace: there getpid(2)'s is another process's.
func pidInProcfs() (int, error) {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(link)
}

// metric is one metric of the process.
type metric struct {
	*families.Desc
	// value is false where it is not known.
	value func(*Process) (float64, bool)
	// label is the value of its label, if it has one.
	label func() string
}

// all returns every metric.
func all() []metric {
	const counter, gauge = dto.MetricType_COUNTER, dto.MetricType_GAUGE
	of := func(
		name, help string, kind dto.MetricType, value func(*Process) (float64, bool),
	) metric {
		return metric{Desc: families.NewDesc(name, help, kind), value: value}
	}
	return []metric{
		of("go_gc_cycles_total_gc_cycles_total",
			"Count of all completed GC cycles. Sourced from /gc/cycles/total:gc-cycles.", counter,
			(*Process).collections),
		of("go_goroutines", "Number of goroutines that currently exist.", gauge,
			func(*Process) (float64, bool) { return float64(runtime.NumGoroutine()), true }),
		{
			Desc:  families.NewDesc("go_info", "Information about the Go environment.", gauge, "version"),
			value: func(*Process) (float64, bool) { return 1, true },
			label: runtime.Version,
		},
		of("go_threads", "Number of OS threads created.", gauge, (*Process).threads),
		of("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
			counter, (*Process).cpu),
		of("process_max_fds", "Maximum number of open file descriptors.", gauge,
			(*Process).maxFDs),
		of("process_open_fds", "Number of open file descriptors.", gauge, (*Process).openFDs),
		of("process_resident_memory_bytes", "Resident memory size in bytes.", gauge,
			func(p *Process) (float64, bool) { return p.memory(1) }),
		of("process_start_time_seconds",
			"Start time of the process since unix epoch in seconds.", gauge,
			func(p *Process) (float64, bool) { return p.started, p.started != 0 }),
		of("process_virtual_memory_bytes", "Virtual memory size in bytes.", gauge,
			func(p *Process) (float64, bool) { return p.memory(0) }),
	}
}

// GatherIn returns what is known of the process now, valid as long as m is not reset.
func (p *Process) GatherIn(m *families.Memory) ([]*dto.MetricFamily, error) {
	m.Reset()
	for _, metric := range p.metrics {
		value, known := metric.value(p)
		if !known {
			continue
		}
		m.Begin(metric.Desc)
		if metric.label != nil {
			m.Add(value, metric.label())
		} else {
			m.Add(value)
		}
	}
	return m.Families()
}

func (*Process) collections() (float64, bool) {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0, false
	}
	return float64(sample[0].Value.Uint64()), true
}

func (*Process) threads() (float64, bool) {
	n, _ := runtime.ThreadCreateProfile(nil)
	return float64(n), true
}

func (*Process) cpu() (float64, bool) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0, false
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9, true
}

func (*Process) maxFDs() (float64, bool) {
	var limit unix.Rlimit
	// Not getrlimit(2), which the serving stage may not call.
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return 0, false
	}
	return float64(limit.Cur), true
}

// openFDs is the size of the directory, from Linux 6.2 on, and else what is in it.
func (p *Process) openFDs() (float64, bool) {
	const dir = "/proc/self/fd"
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err == nil && st.Size > 0 {
		return float64(st.Size), true
	}
	listed, err := os.ReadDir(dir)
	return float64(len(listed) - 1), err == nil // one is that of the listing
}

// memory returns a field of statm, in bytes.
func (p *Process) memory(field int) (float64, bool) {
	fd, err := unix.Open("/proc/self/statm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var text [128]byte
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text[:n])
	if field >= len(fields) {
		return 0, false
	}
	pages, err := strconv.ParseUint(string(fields[field]), 10, 64)
	return float64(pages) * float64(os.Getpagesize()), err == nil
}
