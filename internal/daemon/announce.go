// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// firstScan is how long the start waits for the first scan, which goes on.
const firstScan = 10 * time.Second

// announce logs what was found and where it is served.
func (d *Daemon) announce(ctx context.Context, shared *scan.Shared) {
	log := d.o.Logger
	if err := d.found.Failure; err != nil {
		log.Error("This host cannot be scanned; serving that fact",
			"reason", scan.FailureReason(err), "err", err.Error())
	} else if d.o.Sources.Kind == sources.Compare {
		for source, reason := range d.found.Tried {
			if reason != "" {
				log.Warn("Only one source works: nothing is compared", "missing", source, "reason", reason)
			}
		}
	}
	if it := d.found.Iterator; it != nil && len(it.Newer()) > 0 {
		log.Warn("This kernel keeps of domains what this landlockd does not know: what a domain "+
			"denies that makes use of it is unknown. Update landlockd",
			"members", plural.First(it.Newer(), 8))
	}
	// It has been validated: one that cannot be read was changed just now.
	config, _ := web.ReadConfig(d.o.WebConfig)
	for _, l := range d.listeners {
		d.announceListener(l.Addr(), config)
	}
	// A start that waits for a scan of a minute is one that service managers end.
	ctx, cancel := context.WithTimeout(ctx, firstScan)
	defer cancel()
	snap, err := shared.Scan(ctx)
	if err != nil {
		return // each scrape reports it; that there is no source is logged already
	}
	url := ""
	if len(d.listeners) > 0 {
		scheme := "http"
		if config.ServesTLS() {
			scheme = "https"
		}
		url = scheme + "://" + d.listeners[0].Addr().String() + d.o.Web.TelemetryPath
	}
	log.Info(tree.Summary(snap), "metrics", url)
	if snap.Uptime == 0 {
		log.Warn("Ages of processes are not known: " +
			"the host's clock is out of reach in this time namespace")
	}
	if namelessPods(snap) {
		log.Warn("Containers of pods have no names as long as the directory is not there",
			"directory", workload.DefaultLogs)
	}
	if snap.Source.PIDNS != "init" {
		log.Warn("Running in an inner PID namespace: only its processes are seen, not all of the host")
	}
}

// announceListener logs who can read the metrics.
func (d *Daemon) announceListener(address net.Addr, config web.Config) {
	tcp, ok := address.(*net.TCPAddr)
	loopback := !ok || tcp.IP.IsLoopback()
	switch {
	case !loopback && !config.Authenticates():
		d.o.Logger.Warn("Other hosts can read the metrics without authentication: "+
			"they show what is unsandboxed here; --web.config.file closes it", "address", address)
	case ok && loopback && d.o.UsualAddress && !d.o.SystemdSocket:
		d.o.Logger.Info("Only this host can read the metrics; "+
			"--web.listen-address=:10644 opens them to others", "address", address)
	}
}

// namelessPods reports whether containers of pods run here and the directory that has
// their names is not there.
func namelessPods(snap *scan.Snapshot) bool {
	if _, err := os.Stat(workload.DefaultLogs); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return slices.ContainsFunc(snap.Workloads, func(w scan.Workload) bool {
		return w.Container != nil && w.Container.PodUID != "" && w.Container.Name == ""
	})
}
