// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/daemon"
)

// defaultAddress is on loopback: what is unsandboxed on a host is of interest
// to attackers, so that the world is opted in to.
const defaultAddress = "127.0.0.1:10644"

// serve is the daemon.
type serve struct {
	*globals
	ruleFile
	metricFlags
	socket        apiSocket
	listen        []string
	listenGiven   bool
	systemdSocket bool
	webConfig     string
	telemetryPath string
	maxRequests   int
	noRuntime     bool
	lifecycle     bool
	minInterval   time.Duration
	denials       bool
	confine       string
	user          string
}

func (s *serve) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("serve", "Serve metrics (the default).").Default()
	c.Flag("web.listen-address", "Address to serve metrics at, such as :10644 for all interfaces; may be repeated.").
		Default(defaultAddress).IsSetByUser(&s.listenGiven).StringsVar(&s.listen)
	c.Flag("web.config.file", "File that configures TLS and authentication, in the form that all Prometheus exporters use.").
		PlaceHolder("FILE").StringVar(&s.webConfig)
	c.Flag("web.systemd-socket", "Serve on the sockets that systemd passes, instead of --web.listen-address.").
		BoolVar(&s.systemdSocket)
	c.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&s.telemetryPath)
	c.Flag("web.max-requests", "Number of scrapes served at a time; 0 for no limit.").Default("10").IntVar(&s.maxRequests)
	c.Flag("web.disable-exporter-metrics", "Leave out the metrics of landlockd's own process and runtime.").
		BoolVar(&s.noRuntime)
	c.Flag("web.enable-lifecycle", "Let POST /-/reload load the rules again, as SIGHUP does.").BoolVar(&s.lifecycle)
	c.Flag("scan.min-interval", "A scrape that comes sooner after a scan began gets that scan's result; 0 to scan for each.").
		Default("1s").DurationVar(&s.minInterval)
	s.ruleFile.flags(c)
	s.metricFlags.flags(c)
	c.Flag("collector.denials", "Count what Landlock denies, by the best that the kernel offers: its tracepoints, audit records where audit is on (it is never switched on), its own counts.").
		Default("true").BoolVar(&s.denials)
	s.socket.flags(c, "Unix socket at which root can read facts of single processes; empty for none. Every user may connect: who asks is checked.")
	c.Flag("confine", "What to do if the serving stage cannot be confined in every way: require (do not start), best-effort (serve, and report it), off (stay as privileged as started).").
		Default(string(daemon.BestEffort)).
		EnumVar(&s.confine, string(daemon.Require), string(daemon.BestEffort), string(daemon.Off))
	c.Flag("user", "User that the serving stage runs as if started as root; landlockd if there is such a user, else nobody.").
		PlaceHolder("USER").StringVar(&s.user)
	return c
}

func (s *serve) validate() error {
	if err := cmp.Or(s.globals.validate(), s.metricFlags.validate(), s.socket.validate()); err != nil {
		return err
	}
	switch {
	case s.maxRequests < 0:
		return usageError{fmt.Errorf("--web.max-requests is %d, but cannot be negative", s.maxRequests)}
	case s.telemetryPath == "":
		return usageError{errors.New("--web.telemetry-path is empty, but must be an absolute path")}
	case s.minInterval < 0:
		return usageError{fmt.Errorf("--scan.min-interval is %s, but cannot be negative", s.minInterval)}
	}
	return nil
}

func (s *serve) options() daemon.Options {
	interval := s.minInterval
	if interval == 0 {
		interval = -1 // 0 would be the default
	}
	return daemon.Options{
		Sources: s.sources(0), Workloads: s.workloads(), Metrics: s.metricFlags.options,
		Denials: s.denials, MinInterval: interval,
		Listen: s.listen, UsualAddress: !s.listenGiven, SystemdSocket: s.systemdSocket,
		WebConfig: s.webConfig, TelemetryPath: s.telemetryPath, MaxRequests: s.maxRequests,
		DisableExporterMetrics: s.noRuntime, Lifecycle: s.lifecycle,
		Socket: s.socket.path, SocketRequired: s.socket.given, ConfigFile: s.path,
		Confine: daemon.Confinement(s.confine), User: s.user,
		Args: os.Args, Build: build(), Logger: s.logger,
	}
}

func (s *serve) run(io.Writer) error {
	signal.Ignore(unix.SIGHUP)
	d, err := daemon.Open(s.options())
	if err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, unix.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	return d.Serve(ctx, hangup)
}
