// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/signal"
	"strings"

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
	socket      apiSocket
	o           daemon.Options
	listenGiven bool
}

func (s *serve) declare(app *kingpin.Application) *kingpin.CmdClause {
	c, o := app.Command("serve", "Serve metrics (the default).").Default(), &s.o
	c.Flag("web.listen-address", "Address to serve metrics at, such as :10644 for all interfaces; "+
		"may be repeated.").Default(defaultAddress).IsSetByUser(&s.listenGiven).StringsVar(&o.Listen)
	c.Flag("web.config.file", "File that configures TLS and authentication, in the form that "+
		"all Prometheus exporters use.").PlaceHolder("FILE").StringVar(&o.WebConfig)
	c.Flag("web.systemd-socket", "Serve on the sockets that systemd passes, instead of "+
		"--web.listen-address.").BoolVar(&o.SystemdSocket)
	c.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").
		StringVar(&o.Web.TelemetryPath)
	c.Flag("web.max-requests", "Number of scrapes served at a time; 0 for no limit.").
		Default("10").SetValue((*whole)(&o.Web.MaxRequests))
	c.Flag("web.disable-exporter-metrics", "Leave out the metrics of landlockd's own process and "+
		"runtime.").BoolVar(&o.Web.DisableExporterMetrics)
	c.Flag("web.enable-lifecycle", "Let POST /-/reload load the rules again, as SIGHUP does.").
		BoolVar(&o.Lifecycle)
	c.Flag("scan.min-interval", "A scrape that comes sooner after a scan began gets that scan's "+
		"result; 0 to scan for each.").Default("1s").DurationVar(&o.MinInterval)
	s.globals.flags(c)
	s.rootfs(c)
	s.logging(c)
	s.ruleFile.flags(c)
	s.metricFlags.flags(c)
	c.Flag("collector.denials", "Count what Landlock denies, by the best that the kernel offers: "+
		"its tracepoints, audit records where audit is on (it is never switched on), its own "+
		"counts.").Default("true").BoolVar(&o.Denials)
	c.Flag("collector.runs", "Count processes that end, by workload, state and rule, whether or not "+
		"a scan saw them, by the kernel's tracepoints.").
		Default("true").BoolVar(&o.Runs)
	s.socket.flags(c, "Unix socket at which each user can read facts of the processes that he "+
		"may look at; empty for none. Every user may connect: who asks is checked.")
	c.Flag("confine", "What to do if the serving stage cannot be confined in every way: require "+
		"(scan nothing, and report why), best-effort (serve, and report it), off (stay as privileged as started).").
		Default(string(daemon.BestEffort)).EnumVar((*string)(&o.Confine),
		string(daemon.Require), string(daemon.BestEffort), string(daemon.Off))
	c.Flag("user", "User that the serving stage runs as if started as root; landlockd if there is "+
		"such a user, else nobody.").PlaceHolder("USER").StringVar(&o.User)
	return c
}

func (s *serve) validate() error {
	err := cmp.Or(s.globals.validate(), s.metricFlags.validate(), s.socket.validate())
	switch o := &s.o; {
	case err != nil:
		return err
	case o.Web.MaxRequests < 0:
		return usagef("--web.max-requests is %d, but cannot be negative", o.Web.MaxRequests)
	case o.MinInterval < 0:
		return usagef("--scan.min-interval is %s, but cannot be negative", o.MinInterval)
	}
	for _, address := range s.o.Listen {
		if strings.ContainsAny(address, "/@") {
			return usagef("--web.listen-address %q: want HOST:PORT; Unix and vsock addresses are not "+
				"supported; use --web.systemd-socket", address)
		}
	}
	return nil
}

// options returns what the flags ask for, with what other flags than the daemon's own say.
func (s *serve) options() daemon.Options {
	o := s.o
	o.MinInterval = cmp.Or(o.MinInterval, -1) // 0 would be the default
	o.UsualAddress = !s.listenGiven
	o.Socket, o.SocketRequired, o.ConfigFile = s.socket.path, s.socket.given, s.path
	o.Sources, o.Workloads, o.Metrics = s.sources, s.workloads, s.metricFlags.options
	o.Args, o.Build, o.Logger = os.Args, build(), s.sources.Logger
	return o
}

func (s *serve) run(io.Writer) error {
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE) // it serves on if nobody reads its log any more
	if daemon.IsBeside() {
		return daemon.Beside(s.options())
	}
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
