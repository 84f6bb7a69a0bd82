// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os/signal"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/metrics"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/ui"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/scan"
)

// browse serves this user's view to a browser.
type browse struct {
	asking
	ruleFile
	address  string
	interval time.Duration

	config  *policy.Config
	judge   *policy.Evaluator
	metrics metrics.Options
	// scans are this command's own, as soon as it had to make one.
	scans *scan.Shared
}

func (b *browse) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("ui", "Serve what you may see of this host to a browser of yours, on loopback, "+
		"until this command ends: pictures, the processes, and explanations. Prints the address, "+
		"which lets one browser in.")
	c.Flag("listen-address", "Address of this host's loopback to serve at; port 0 is any that is "+
		"free.").Default("127.0.0.1:0").StringVar(&b.address)
	c.Flag("interval", "How long the browser waits between two looks.").Default("2s").
		DurationVar(&b.interval)
	b.rootfs(c)
	b.ruleFile.flags(c)
	b.asking.flags(c)
	return c
}

func (b *browse) validate() error {
	const shortest = 100 * time.Millisecond
	address, err := netip.ParseAddrPort(b.address)
	switch {
	case err != nil || !address.Addr().IsLoopback():
		return usagef("--listen-address %q: want an address of loopback and a port, as 127.0.0.1:8080; "+
			"from another host, ssh -L leads there", b.address)
	case b.interval < shortest:
		return usagef("--interval is %s, but must be at least %s", b.interval, shortest)
	}
	return b.asking.validate()
}

func (b *browse) run(out io.Writer) error {
	var err error
	if b.config, err = b.load(); err != nil {
		return err
	}
	b.assets = b.config.Assets
	b.judge = b.evaluator(b.config, policy.Options{})
	b.metrics = metrics.Options{Rights: true, Hardening: true, Workloads: collector.WorkloadOptions{
		Limit: shownWorkloads, Slots: &collector.Slots{},
	}}
	if _, err := b.look(); err != nil { // better here than in the browser
		return undecided(err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", b.address)
	if err != nil {
		return fmt.Errorf("--listen-address: %w", err)
	}
	handler, address := ui.New(ui.Options{
		Address: listener.Addr().String(), Look: b.look, Explain: b.explain, Interval: b.interval,
	})
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	defer stop()
	server := web.Serve([]net.Listener{listener}, handler, "", slog.New(slog.DiscardHandler))
	fmt.Fprintf(out, "%s\nOpen it in a browser on this host: it lets one in, once, "+
		"until this command ends (Ctrl-C).\n", address)
	select {
	case err := <-server.Failed():
		return err
	case <-ctx.Done():
		return server.Stop()
	}
}

// shownWorkloads is how many workloads are named, as --workload.limit of the daemon.
const shownWorkloads = 100

// look looks once.
func (b *browse) look() (*ui.Sight, error) {
	snap, from, err := b.again()
	if err != nil {
		return nil, err
	}
	result := b.judge.Evaluate(snap)
	shown := b.metrics.Scrape(snap, result, nil)
	shown.Config = &collector.Config{
		Loaded: len(b.config.Rules), Applied: result.Applied, Hash: b.config.Hash, Reloaded: true,
	}
	shown.Daemon = &collector.Daemon{}
	shown.Daemon.Scans.LastSuccess = snap.Time
	return &ui.Sight{Snapshot: snap, Metrics: &shown, From: from.text}, nil
}

// again returns a snapshot as asking.snapshot does; what takes own scans is opened once.
func (b *browse) again() (*scan.Snapshot, origin, error) {
	if b.recorded() {
		return b.snapshot()
	}
	snap, from, refused := b.ask()
	if refused == nil {
		return snap, from, nil
	}
	d, cancel := b.begin()
	defer cancel()
	if b.scans == nil {
		source, _, err := b.open(d, b.assets)
		if err != nil {
			return nil, from, withRefusal(err, refused)
		}
		b.scans = scan.NewShared(source, scan.SharedOptions{Timeout: b.timeout})
	}
	snap, err := inTime(d, "scanning", func() (*scan.Snapshot, error) { return b.scans.Scan(d) })
	return snap, ownScan(refused), withRefusal(err, refused)
}

// explain explains a process as that command does.
func (b *browse) explain(s *ui.Sight, p *scan.Process) (string, error) {
	x := &explainProcess{asking: b.asking}
	e, missing := x.explain(b.config, s.Snapshot, p, origin{text: s.From}, time.Now().Add(b.timeout))
	var text strings.Builder
	err := e.Text(&text, false, 0)
	return text.String(), cmp.Or(err, missing)
}
