// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/metrics"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// rebootEvery is how many scrapes there are from one boot of a Rebooting host to
// the next.
const rebootEvery = 6

// Version is that of the landlockd that all hosts have.
const Version = "1.0.0"

// machine is a host that runs: one boot after the other.
type machine struct {
	rules       *policy.Config
	minInterval time.Duration

	mu      sync.Mutex
	host    *Host
	boots   int
	scrapes int
	boot    *boot
}

func newMachine(h *Host, rules *policy.Config, minInterval time.Duration) (*machine, error) {
	m := &machine{rules: rules, minInterval: minInterval, host: h}
	if err := m.start(h); err != nil {
		return nil, fmt.Errorf("fleet: %s: %w", h.Name, err)
	}
	return m, nil
}

// start boots what the host is from now on. The caller holds mu, or is alone.
func (m *machine) start(h *Host) error {
	b, err := newBoot(h, m.rules, m.minInterval, m.boots > 0)
	if err != nil {
		return err
	}
	if m.boot != nil {
		m.boot.close()
	}
	m.host, m.boot = h, b
	m.boots++
	return nil
}

// ServeHTTP answers a scrape, as far as somebody is there.
func (m *machine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.scrapes++
	b, kind := m.boot, m.host.Kind
	away := kind == Rebooting && m.scrapes%rebootEvery == 0
	var err error
	if away {
		err = m.start(m.host)
	}
	m.mu.Unlock()
	switch {
	case kind == Down:
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case away:
		// A client would repeat at once a request that nobody answered.
		http.Error(w, fmt.Sprint("rebooting ", err), http.StatusServiceUnavailable)
	default:
		b.handler.ServeHTTP(w, r)
	}
}

// loseLandlock boots a Losing host with a kernel that does not enable Landlock.
func (m *machine) loseLandlock() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.host.Kind != Losing {
		return nil
	}
	return m.start(m.host.withoutLandlock())
}

func (m *machine) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boot.close()
}

// boot is a host from one boot to the next, and the landlockd that runs on it.
type boot struct {
	shared  *scan.Shared
	monitor *denials.Monitor
	tally   *runs.Tally // nil if what ends is not counted
	handler http.Handler
}

// newBoot puts together what internal/daemon does, over what the host was made of.
// After a reboot the processes are young, and the first scan fails.
func newBoot(h *Host, rules *policy.Config, minInterval time.Duration, again bool) (*boot, error) {
	set, err := inforce.New(inforce.Options{Load: func() (*policy.Config, error) { return rules, nil }})
	if err != nil {
		return nil, err
	}
	src := &source{host: h, again: again}
	o := denials.Options{WorkloadLimit: workloadLimit}
	if h.NamesDomains && h.Kind != Disabled {
		src.feed = newFeed()
		o.Feed = src.feed
	}
	b := &boot{monitor: denials.NewMonitor(o)}
	b.shared = scan.NewShared(denials.NewSource(src, b.monitor), scan.SharedOptions{MinInterval: minInterval, Reasons: sources.FailureReasons()})
	if h.Kind != Failing {
		b.tally = runs.NewTally(runs.TallyOptions{
			Feed: &ending{host: h}, Since: time.Now(), Rules: set, Kernel: h.kernel(),
			Resolver: workload.Open(workload.Options{NoFold: true}), WorkloadLimit: workloadLimit,
		})
	}
	tried := map[string]string{"taskiter": "", "procattr": string(procattr.NoAttribute)}
	if h.Kind == Failing {
		tried["taskiter"] = string(taskiter.NoBTF)
	}
	own := collector.Daemon{
		Sources:  tried,
		Confined: map[string]bool{"landlock": h.Kind != Disabled, "no_new_privs": true, "capabilities": true, "user": true},
		Build:    collector.Build{Version: Version, Revision: "0123abcd", GoVersion: "go1.26"},
	}
	exported := metrics.Options{
		Workloads: collector.WorkloadOptions{Limit: workloadLimit, Slots: &collector.Slots{}},
		Rights:    true, Hardening: true,
	}
	b.handler, err = web.New(web.Options{
		Scans:                  b.shared,
		DisableExporterMetrics: true, // they would be those of this process, for every host
		Collector: func(snap *scan.Snapshot) *collector.Scrape {
			own, shown := own, collector.Scrape{}
			if snap != nil {
				shown = exported.Scrape(snap, set.Evaluate(snap), b.monitor)
			}
			if b.tally != nil {
				b.tally.Update(snap)
				shown.Runs = b.tally.Stats()
			}
			own.Scans = b.shared.Stats()
			config := collector.Config(set.State())
			if h.Drifted {
				config.Hash ^= 1
			}
			shown.Config, shown.Daemon = &config, &own
			return &shown
		},
	})
	if err != nil {
		return nil, errors.Join(err, b.shared.Close(), b.monitor.Close())
	}
	return b, nil
}

func (b *boot) close() {
	_ = b.shared.Close()
	_ = b.monitor.Close()
	if b.tally != nil {
		_ = b.tally.Close()
	}
}

// source is a scan.Source that finds what the host was made of. Scans come one
// after the other.
type source struct {
	host  *Host
	again bool
	feed  *feed // nil if single denials are not reported
	scans int
}

func (s *source) Scan(context.Context) (*scan.Snapshot, error) {
	s.scans++
	switch {
	case s.host.Kind == Failing:
		return nil, &scan.Error{Reason: taskiter.NoBTF}
	case s.host.Kind == Flaky && s.scans%4 == 0, s.again && s.scans == 1:
		return nil, &scan.Error{Reason: taskiter.Read}
	}
	snap := s.host.snapshot(s.uptime(), uint64(s.scans)*denialsPerScan)
	if s.feed != nil {
		s.feed.deny(snap)
	}
	return snap, nil
}

// uptime is counted by scans, so that a run does not depend on how fast it is: the
// second scan after a reboot finds processes younger than their grace, later ones
// do not.
func (s *source) uptime() time.Duration {
	if !s.again {
		return time.Hour + time.Duration(s.scans)*time.Minute
	}
	return bootTime + grace/2 + time.Duration(s.scans-2)*time.Minute
}

func (s *source) Close() error { return nil }
