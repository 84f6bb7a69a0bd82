// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/patient"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// scanGrace is how long a scan that is under way may go on while the daemon stops.
const scanGrace = 500 * time.Millisecond

// closeTime is how long the end waits for a scan: one that hangs ends with the process.
const closeTime = 2 * time.Second

// Serve serves until ctx is done, and loads the rules again for each hangup. It returns
// an error if it cannot serve, or not any more. It is called once.
func (d *Daemon) Serve(ctx context.Context, hangup <-chan os.Signal) error {
	rules, err := d.openRules()
	if err != nil {
		return err
	}
	d.askForAssets(rules)
	monitor, err := d.openMonitor()
	if err != nil {
		return err
	}
	if monitor != nil {
		defer func() { _ = monitor.Close() }()
	}
	resolver := d.openResolver()
	tally := d.openTally(rules, resolver)
	if tally != nil {
		defer func() { _ = tally.Close() }()
		defer keepRoom(tally)()
	}
	live := newLiveness(d.o.Logger)
	arrivals := &api.Arrivals{}
	shared := d.share(rules, resolver, monitor, tally, arrivals, live)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		_, _ = patient.Within(ctx, func() (struct{}, error) { return struct{}{}, shared.Close() })
	}()
	defer live.watch(d.watchdog, func() { notify(d.notify, "WATCHDOG=1") })()
	reloader := newReloader(rules, tally, d.notify, d.serving())
	handler, err := d.handler(shared, rules, monitor, tally, reloader, live)
	if err != nil {
		return UsageError{err}
	}
	server := web.Serve(d.listeners, handler, d.o.WebConfig, d.o.Logger)
	defer d.serveAPI(api.Options{
		Scans: shared, Denials: monitor, Runs: tally, RunsOff: !d.o.Runs, Arrivals: arrivals,
		Judge: rules.Judge, Logger: d.o.Logger,
	})()
	d.announce(ctx, shared)
	handler.SetReady()
	reloader.ready()
	for serving := true; serving; {
		select {
		case err := <-server.Failed():
			return err
		case <-d.readerGone:
			return errReaderGone
		case err := <-live.ends:
			return fmt.Errorf("landlockd hangs: %w", err)
		case <-hangup:
			_ = reloader.reload() // it is in the log
		case <-ctx.Done():
			serving = false
		}
	}
	d.o.Logger.Info("Stopping")
	reloader.stop()
	handler.SetStopping()
	// Whoever waits for a scan that takes long waits in vain.
	defer time.AfterFunc(scanGrace, func() { _ = shared.Close() }).Stop()
	return server.Stop()
}

// serving is what the service manager shows while nothing else is going on.
func (d *Daemon) serving() string {
	if len(d.refused) > 0 {
		return "Scanning nothing, as it is not confined by " + failureWords(d.refused)
	}
	return "Serving"
}

// openResolver returns what names workloads, of processes that run and of those that ended.
func (d *Daemon) openResolver() *workload.Resolver {
	resolver := workload.Open(d.o.Workloads)
	if limits := resolver.Limits(); limits != "" {
		d.o.Logger.Warn("Workloads are named after executables: their cgroups cannot be found",
			"reason", limits)
	}
	return resolver
}

// share returns what all readers get their snapshots from.
func (d *Daemon) share(
	rules *inforce.Set, resolver *workload.Resolver, monitor *denials.Monitor, tally *runs.Tally,
	arrivals *api.Arrivals, live *liveness,
) *scan.Shared {
	source := scan.Asking(d.reader, func() []domainid.Asset { return rules.Config().Assets })
	source = workload.NewSource(source, resolver)
	if monitor != nil {
		source = denials.NewSource(source, monitor)
	}
	if tally != nil {
		source = counting{source}
	}
	if d.api != nil {
		source = noting{source, arrivals}
	}
	return scan.NewShared(watched{&thrifty{Source: source}, &live.scans}, scan.SharedOptions{
		MinInterval: d.o.MinInterval, Timeout: scanTimeout, Reasons: sources.FailureReasons(),
	})
}

func (d *Daemon) handler(
	shared *scan.Shared, rules *inforce.Set, monitor *denials.Monitor, tally *runs.Tally,
	reloader *reloader, live *liveness,
) (*web.Handler, error) {
	own := collector.Daemon{Sources: d.found.Tried, Confined: d.status.Mechanisms(), Build: d.o.Build,
		ConfineFailed: map[string]string{}}
	for _, f := range d.refused {
		own.ConfineFailed[f.Mechanism.String()] = f.Reason.String()
	}
	if both, ok := d.reader.(*sources.Both); ok {
		own.Disagreements = both.Disagreements
	}
	o := d.o.Web
	o.Scans, o.Logger = shared, d.o.Logger
	o.Healthy = live.err
	o.Collector = func(snap *scan.Snapshot) *collector.Scrape {
		defer live.scrapes.begin()()
		own, shown := own, collector.Scrape{}
		if snap != nil {
			result := rules.Evaluate(snap)
			d.found.Favour(result.About)
			shown = d.o.Metrics.Scrape(snap, result, monitor)
		}
		if tally != nil { // what ended is known without a scan
			tally.Update(snap)
			shown.Runs = tally.Stats()
		}
		own.Scans = shared.Stats()
		config := collector.Config(rules.State())
		shown.Config, shown.Daemon = &config, &own
		return &shown
	}
	if d.o.Lifecycle {
		o.Reload = reloader.reload
	}
	return web.New(o)
}
