// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/view"
	lweb "github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

const (
	confineRequire    = "require"
	confineBestEffort = "best-effort"
	confineOff        = "off"
)

// stopTimeout is how long scrapes that are under way may take after SIGTERM.
const stopTimeout = 5 * time.Second

// scanGrace is how long a scan that is under way may go on after SIGTERM.
const scanGrace = 500 * time.Millisecond

// maxConnections is what one listener serves at a time: each connection costs
// some 20 kB, and descriptors, without which no scan can be made. Those beyond
// wait in the kernel.
const maxConnections = 256

func limited(in []net.Listener) []net.Listener {
	out := make([]net.Listener, len(in))
	for i, l := range in {
		out[i] = newDrainable(netutil.LimitListener(l, maxConnections))
	}
	return out
}

// serve is the daemon, in either stage.
func (s *settings) serve() error {
	ignoreHangup()
	if number, ok := os.LookupEnv(stageEnv); ok {
		o, err := unpack(number)
		if err != nil {
			return usageError{err}
		}
		return s.serveConfined(o)
	}
	o, err := s.open()
	if err != nil {
		return err
	}
	if s.confine == confineOff {
		s.logger.Warn("Not confined: --confine=off")
		return s.serveWith(o, confine.Status{})
	}
	err = s.execServing(o)
	o.close()
	return err
}

// open does what needs privileges.
func (s *settings) open() (*opened, error) {
	if err := web.Validate(s.webConfig); err != nil {
		return nil, usageError{fmt.Errorf("--web.config.file %s: %w", s.webConfig, err)}
	}
	if _, _, err := s.servingUser(); err != nil {
		return nil, err
	}
	config, err := s.loadConfig()
	if err != nil {
		return nil, configError(err)
	}
	o := &opened{config: config, cmdline: config.UsesCmdline()}
	if o.notify, err = dialNotify(); err != nil {
		return nil, err
	}
	tell(o.notify, "STATUS=Loading")
	if o.listeners, err = s.openListeners(); err != nil {
		return nil, err
	}
	f, err := s.findSources(0)
	if err != nil {
		o.close()
		return nil, err
	}
	o.source, o.attribute, o.kernel, o.tried = f.source, f.attribute, f.kernel, f.tried
	if f.failure != nil {
		o.failure = scan.Flatten(f.failure)
	}
	if o.source != nil && !o.source.Unprivileged() {
		o.keep = append(o.keep, unix.CAP_BPF)
	}
	if o.attribute && (o.kernel.Landlock == scan.Enabled || confine.Permitted(unix.CAP_SYS_PTRACE)) {
		// Without Landlock it only serves to read what else there is of others'
		// processes, such as their executables.
		o.keep = append(o.keep, unix.CAP_SYS_PTRACE)
	}
	// After all else that can end the start: its file stays.
	if o.api, err = s.openAPI(); err != nil {
		o.close()
		return nil, err
	}
	o.denials, o.denialFiles = s.openDenials()
	return o, nil
}

func (s *settings) openListeners() ([]net.Listener, error) {
	if s.systemdSocket {
		ls, err := activation.Listeners()
		if err != nil {
			return nil, fmt.Errorf("--web.systemd-socket: %w", err)
		}
		if len(ls) == 0 {
			return nil, usageError{errors.New("--web.systemd-socket: systemd passed no socket; start landlockd through its socket unit")}
		}
		for i, l := range ls {
			if l == nil {
				return nil, usageError{fmt.Errorf("--web.systemd-socket: descriptor %d that systemd passed is no listening stream socket (ListenStream=)", 3+i)}
			}
		}
		return ls, nil
	}
	var ls []net.Listener
	for _, address := range s.listen {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			for _, l := range ls {
				l.Close()
			}
			err = fmt.Errorf("--web.listen-address %q: %w", address, err)
			var parse *net.AddrError
			var name *net.DNSError
			if errors.As(err, &parse) || errors.As(err, &name) && strings.HasPrefix(name.Name, "tcp/") {
				return nil, usageError{err}
			}
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// serveConfined is the serving stage: it makes sure that it is confined.
func (s *settings) serveConfined(o *opened) error {
	// Nobody with this user's ID may trace it and read what it reads.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_DUMPABLE): %w", err)
	}
	status, err := confine.Inspect(o.keep)
	if err != nil {
		return fmt.Errorf("check the confinement: %w", err)
	}
	if missing := status.Missing(); len(missing) > 0 {
		if s.confine == confineRequire || status.Stray || !status.NoNewPrivs {
			return fmt.Errorf("not confined by %s", strings.Join(missing, ", "))
		}
		s.logger.Warn("Not confined in every way", "missing", strings.Join(missing, ","))
	}
	if slices.Contains(o.keep, unix.CAP_BPF) {
		s.logger.Info("This kernel needs CAP_BPF for every scan (before Linux 5.19); it is kept")
	}
	if slices.Contains(o.keep, unix.CAP_SYS_PTRACE) {
		s.logger.Info("CAP_SYS_PTRACE is kept: without it procfs does not show all of others' processes")
	}
	if err := web.Validate(s.webConfig); err != nil {
		return usageError{fmt.Errorf("--web.config.file %s, read as user %d: %w", s.webConfig, os.Getuid(), err)}
	}
	return s.serveWith(o, status)
}

// serveWith serves until it is asked to stop.
func (s *settings) serveWith(o *opened, status confine.Status) error {
	keepHeapSmall()
	hangup := hangups()
	rules, err := s.openRules(o, status)
	if err != nil {
		return err
	}
	reloader := newReloader(rules, o.notify)
	for source, reason := range o.tried {
		if s.source == sources.Compare && reason != "" && o.failure == nil {
			s.logger.Warn("Only one source works: nothing is compared", "missing", source, "reason", reason)
		}
	}
	if o.failure != nil {
		s.logger.Error("This host cannot be scanned; serving that fact", "reason", o.failure.Reason, "err", o.failure.Error())
	}
	interval := s.minInterval
	if interval == 0 {
		interval = -1
	}
	reader := s.reader(o.source, o.attribute, o.kernel, o.failure)
	source := s.named(reader)
	monitor, err := s.monitor(o.denials, o.denialFiles)
	if err != nil {
		return err
	}
	if monitor != nil {
		defer func() { _ = monitor.Close() }()
		source = denials.NewSource(source, monitor)
	}
	shared := scan.NewShared(&thrifty{Source: source}, scan.SharedOptions{MinInterval: interval, Reasons: failureReasons()})
	defer shared.Close()
	evaluate := func(snap *scan.Snapshot) *policy.Evaluation {
		result := rules.Evaluate(snap)
		if o.source != nil {
			o.source.Favour(result.About)
		}
		return result
	}
	options := lweb.Options{
		Scans: shared, TelemetryPath: s.telemetryPath, MaxRequests: s.maxRequests,
		DisableExporterMetrics: s.noRuntime, Sources: func() map[string]string { return o.tried },
		Disagreements: disagreements(reader),
		Confined:      status.Mechanisms(), Build: build(), Logger: s.logger,
		Scrape: func(snap *scan.Snapshot) (shown collector.Scrape) {
			if snap != nil {
				shown = s.scrape(evaluate(snap), monitor)
			}
			config := collector.Config(rules.State())
			shown.Config = &config
			return shown
		},
	}
	if s.lifecycle {
		options.Reload = reloader.reload
	}
	handler, err := lweb.New(options)
	if err != nil {
		return usageError{err}
	}
	server := &http.Server{
		// What clients do wrong is not for the operator's log.
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		Handler:  handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 70 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	done, listeners := make(chan error, 1), limited(o.listeners)
	go func() {
		done <- web.ServeMultiple(listeners, server, &web.FlagConfig{WebConfigFile: &s.webConfig}, s.logger)
	}()
	defer s.serveAPI(o.api, shared, monitor)()
	s.announce(ctx, o, shared)
	handler.SetReady()
	reloader.ready()
	for serving := true; serving; {
		select {
		case err := <-done:
			return fmt.Errorf("serve: %w", err)
		case <-hangup:
			_ = reloader.reload() // it is in the log
		case <-ctx.Done():
			serving = false
		}
	}
	s.logger.Info("Stopping")
	reloader.stop()
	handler.SetStopping()
	// Whoever waits for a scan that takes long waits in vain.
	defer time.AfterFunc(scanGrace, func() { _ = shared.Close() }).Stop()
	drain(server, listeners)
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// announce logs what was found and where it is served.
func (s *settings) announce(ctx context.Context, o *opened, shared *scan.Shared) {
	scheme, config := "http", s.web()
	if config.servesTLS() {
		scheme = "https"
	}
	for _, l := range o.listeners {
		addr, ok := l.Addr().(*net.TCPAddr)
		loopback := !ok || addr.IP.IsLoopback()
		switch {
		case !loopback && !config.authenticates():
			s.logger.Warn("Other hosts can read the metrics without authentication: they tell what is unsandboxed here; --web.config.file closes it", "address", l.Addr())
		case ok && loopback && !s.listenWasGiven && !s.systemdSocket:
			s.logger.Info("Only this host can read the metrics; --web.listen-address=:10644 opens them to others", "address", l.Addr())
		}
	}
	snap, err := shared.Scan(ctx)
	if err != nil {
		return // each scrape reports it; that there is no source is logged already
	}
	url := ""
	if len(o.listeners) > 0 {
		url = scheme + "://" + o.listeners[0].Addr().String() + s.telemetryPath
	}
	s.logger.Info(view.Summary(snap), "metrics", url)
	if snap.Uptime == 0 {
		s.logger.Warn("Ages of processes are not known: the host's clock cannot be told in this time namespace")
	}
	if namelessPods(snap) {
		s.logger.Warn("Containers of pods have no names as long as the directory is not there",
			"directory", workload.DefaultLogs)
	}
	if snap.Source.PIDNS != "init" {
		s.logger.Warn("Running in an inner PID namespace: only its processes are seen, not all of the host")
	}
}

// web returns the web configuration; empty if there is none.
func (s *settings) web() webConfig {
	if s.webConfig == "" {
		return webConfig{}
	}
	c, err := readWebConfig(s.webConfig)
	if err != nil {
		return webConfig{} // it has been validated: it was changed just now
	}
	return c
}

func (c webConfig) servesTLS() bool { return c.TLS.Cert != "" || c.TLS.CertText != "" }

// authenticates reports whether clients must authenticate to read.
func (c webConfig) authenticates() bool {
	return len(c.Users) > 0 || c.TLS.ClientAuth == "RequireAndVerifyClientCert"
}
