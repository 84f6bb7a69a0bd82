// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/landlockd/landlockd/internal/sources"
)

// defaultAddress is on loopback: what is unsandboxed on a host is of interest
// to attackers, so that the world is opted in to.
const defaultAddress = "127.0.0.1:10644"

// settings are all flags.
type settings struct {
	listen         []string
	webConfig      string
	systemdSocket  bool
	telemetryPath  string
	maxRequests    int
	noRuntime      bool
	minInterval    time.Duration
	confine        string
	user           string
	source         string
	procfs, sysfs  string
	logger         *slog.Logger
	log            promslog.Config
	format         string
	textfile       string
	summary        bool
	all            bool
	domains        bool
	ascii          bool
	full           bool
	listenWasGiven bool
	configFile     string
	lifecycle      bool
	denials        bool
	api            apiSettings
	kernel         kernelSettings
	check          checkSettings
	explaining     explainSettings
	workloads      workloadSettings
}

const procattrFile = "/proc/PID/attr/landlock/domain"

const (
	cmdServe  = "serve"
	cmdCheck  = "check"
	cmdConfig = "check-config"
	cmdRules  = "rules suggest"
	cmdOnce   = "once"
	cmdTree   = "tree"
	cmdDoctor = "doctor"

	cmdExplain = "explain"
)

func parse(args []string) (*settings, string, error) {
	s := &settings{}
	app := kingpin.New("landlockd", "Shows which processes of a host are sandboxed with Landlock, and how deep.\n\n"+
		"Without a command it serves metrics for Prometheus at http://"+defaultAddress+"/metrics. "+
		"To let other hosts scrape it, give --web.listen-address, and --web.config.file for TLS and authentication.")
	app.HelpFlag.Short('h')
	app.UsageWriter(os.Stdout)
	app.Version(versionText())
	app.VersionFlag.Short('V')

	app.Flag("path.procfs", "Where procfs is mounted.").Default("/proc").StringVar(&s.procfs)
	app.Flag("path.sysfs", "Where sysfs is mounted.").Default("/sys").StringVar(&s.sysfs)
	app.Flag("source", "How domains are read: taskiter (from the kernel, by BPF), procattr (from "+procattrFile+", where a kernel has it), auto (the first of these that works), both (with both, and compare).").
		Default(sources.Auto).EnumVar(&s.source, sources.Kinds()...)
	level := app.Flag("log.level", "Least severity of messages: debug, info, warn, error.").Default("info").Enum("debug", "info", "warn", "error")
	format := app.Flag("log.format", "Form of messages: logfmt, json.").Default("logfmt").Enum("logfmt", "json")

	serve := app.Command(cmdServe, "Serve metrics (the default).").Default()
	serve.Flag("web.listen-address", "Address to serve metrics at, such as :10644 for all interfaces; may be repeated.").
		Default(defaultAddress).IsSetByUser(&s.listenWasGiven).StringsVar(&s.listen)
	serve.Flag("web.config.file", "File that configures TLS and authentication, in the form that all Prometheus exporters use.").
		PlaceHolder("FILE").StringVar(&s.webConfig)
	serve.Flag("web.systemd-socket", "Serve on the sockets that systemd passes, instead of --web.listen-address.").BoolVar(&s.systemdSocket)
	serve.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&s.telemetryPath)
	serve.Flag("web.max-requests", "Number of scrapes served at a time; 0 for no limit.").Default("10").IntVar(&s.maxRequests)
	serve.Flag("web.disable-exporter-metrics", "Leave out the metrics of landlockd's own process and runtime.").BoolVar(&s.noRuntime)
	serve.Flag("scan.min-interval", "A scrape that comes sooner after a scan began gets that scan's result; 0 to scan for each.").
		Default("1s").DurationVar(&s.minInterval)
	serve.Flag("collector.denials", "Count what Landlock denies, by the best that the kernel offers: its tracepoints, audit records where audit is on (it is never switched on), its own counts.").Default("true").BoolVar(&s.denials)
	serve.Flag("confine", "What to do if the serving stage cannot be confined in every way: require (do not start), best-effort (serve, and say so), off (stay as privileged as started).").
		Default(confineBestEffort).EnumVar(&s.confine, confineRequire, confineBestEffort, confineOff)
	serve.Flag("user", "User that the serving stage runs as if started as root; landlockd if there is such a user, else nobody.").
		PlaceHolder("USER").StringVar(&s.user)

	once := app.Command(cmdOnce, "Scan once and write the result to standard output.")
	once.Flag("format", "Form of the result: prometheus, json.").Default(formatPrometheus).EnumVar(&s.format, formatPrometheus, formatJSON)
	once.Flag("textfile", "Write to this file instead, in one step, for the textfile collector of node_exporter.").PlaceHolder("PATH").StringVar(&s.textfile)
	once.Flag("summary", "With --format=json: counts, without names.").BoolVar(&s.summary)

	tree := app.Command(cmdTree, "Show the sandboxed processes, their domains, and where they stand among the others.")
	tree.Flag("all", "Show every process.").Short('a').BoolVar(&s.all)
	tree.Flag("domains", "Show domains, each with its processes.").Short('d').BoolVar(&s.domains)
	tree.Flag("ascii", "Draw with ASCII only; the default unless the locale is UTF-8.").BoolVar(&s.ascii)

	serve.Flag("web.enable-lifecycle", "Let POST /-/reload load the rules again, as SIGHUP does.").BoolVar(&s.lifecycle)
	s.ruleCommands(app, serve, once)
	explained := s.explainCommand(app)
	s.api.flags(serve, "Unix socket at which root is told of single processes; empty for none. Every user may connect: who asks is checked.")
	s.api.flags(explained, "Unix socket of the daemon, which is asked for the last denials; empty to ask nobody.")
	s.workloads.flags(app, serve, once)
	s.kernel.flags(serve, once)

	doctor := app.Command(cmdDoctor, "Tell what works on this host, what does not, why, and what to do.")
	doctor.Flag("report", "Add what developers need to know of a kernel that they have not tried: no names, no paths.").BoolVar(&s.full)

	command, err := app.Parse(args)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("%s%w (try --help)", badFlag(app, args), err)}
	}
	s.log.Level, s.log.Format = promslog.NewLevel(), promslog.NewFormat()
	if err := s.log.Level.Set(*level); err != nil {
		return nil, "", usageError{err}
	}
	if err := s.log.Format.Set(*format); err != nil {
		return nil, "", usageError{err}
	}
	s.logger = promslog.New(&s.log)
	return s, command, s.validate(command)
}

// badFlag names the flag whose value was refused: the parser's own error does not.
func badFlag(app *kingpin.Application, args []string) string {
	parsed, err := app.ParseContext(args)
	if err != nil {
		return "" // that error names what it is about
	}
	for _, e := range parsed.Elements {
		if f, ok := e.Clause.(*kingpin.FlagClause); ok && e.Value != nil && f.Model().Value.Set(*e.Value) != nil {
			return "--" + f.Model().Name + ": "
		}
	}
	return ""
}

// validate refuses what no command could work with.
func (s *settings) validate(command string) error {
	if err := checkProcfs(s.procfs); err != nil && command != cmdConfig {
		return usageError{err}
	}
	if err := s.workloads.validate(); err != nil {
		return err
	}
	if err := s.api.validate(); err != nil {
		return err
	}
	switch {
	case command == cmdCheck:
		return s.check.validate()
	case command == cmdExplain:
		return s.explaining.validate(s.check.snapshot)
	case command == cmdServe && s.maxRequests < 0:
		return usageError{fmt.Errorf("--web.max-requests is %d, but cannot be negative", s.maxRequests)}
	case command == cmdServe && s.telemetryPath == "":
		return usageError{errors.New("--web.telemetry-path is empty, but must be an absolute path")}
	case command == cmdServe && s.minInterval < 0:
		return usageError{fmt.Errorf("--scan.min-interval is %s, but cannot be negative", s.minInterval)}
	case command == cmdOnce && s.textfile != "" && s.format != formatPrometheus:
		return usageError{fmt.Errorf("--textfile is for --format=%s, not for %s", formatPrometheus, s.format)}
	case command == cmdOnce && s.summary && s.format != formatJSON:
		return usageError{fmt.Errorf("--summary is for --format=%s: metrics are counts without names already", formatJSON)}
	}
	return nil
}

func (s *settings) run(command string) error {
	if command != cmdServe {
		endOnHangup()
	}
	switch command {
	case cmdOnce:
		return s.once(os.Stdout)
	case cmdTree:
		return s.tree(os.Stdout)
	case cmdDoctor:
		return s.doctor(os.Stdout)
	case cmdCheck:
		return s.runCheck(os.Stdout)
	case cmdExplain:
		return s.runExplain(os.Stdout)
	case cmdConfig:
		return s.checkConfig(os.Stdout, os.Stderr)
	case cmdRules:
		return s.suggestRules(os.Stdout)
	default:
		return s.serve()
	}
}
