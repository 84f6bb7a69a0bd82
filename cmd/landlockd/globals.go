// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"

	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

const procattrFile = "/proc/PID/attr/landlock/domain"

// globals are the flags of all commands: how this host is looked at, and the log.
type globals struct {
	procfs, sysfs string
	source        string
	fold          bool
	runtimeUnits  []string
	log           promslog.Config
	// runtimes and logger follow from the flags.
	runtimes workload.RuntimeUnits
	logger   *slog.Logger
}

func (g *globals) flags(app *kingpin.Application) {
	app.Flag("path.procfs", "Where procfs is mounted.").Default("/proc").StringVar(&g.procfs)
	app.Flag("path.sysfs", "Where sysfs is mounted.").Default("/sys").StringVar(&g.sysfs)
	app.Flag("source", "How domains are read: taskiter (from the kernel, by BPF), procattr (from "+procattrFile+", where a kernel has it), "+
		"auto (the first of these that works), both (with both, and compare).").
		Default(sources.Auto).EnumVar(&g.source, sources.Kinds()...)
	promslogflag.AddFlags(app, &g.log)
	app.Flag("workload.fold", "Fold names of workloads, so that they are stable and few: getty@tty1.service is getty@.service.").
		Default("true").BoolVar(&g.fold)
	app.Flag("workload.runtime-unit", "A unit below whose own cgroup are containers that root "+
		"runs, beside those that are known, as k3s.service (repeatable). What is below other "+
		"units is theirs.").PlaceHolder("UNIT").StringsVar(&g.runtimeUnits)
}

// validate is that of commands that look at this host.
func (g *globals) validate() error {
	if err := checkProcfs(g.procfs); err != nil {
		return usageError{err}
	}
	return g.prepare()
}

// prepare makes what follows from the flags.
func (g *globals) prepare() (err error) {
	g.logger = promslog.New(&g.log)
	if g.runtimes, err = workload.NewRuntimeUnits(g.runtimeUnits...); err != nil {
		return usageError{fmt.Errorf("--workload.runtime-unit: %w", err)}
	}
	return nil
}

// sources returns how domains are read; ruleTime as there.
func (g *globals) sources(ruleTime time.Duration) sources.Options {
	return sources.Options{
		Kind: g.source, ProcFS: g.procfs, SysFS: g.sysfs, RuleTime: ruleTime, Logger: g.logger,
	}
}

// workloads returns how workloads are named.
func (g *globals) workloads() workload.Options {
	return workload.Options{
		ProcFS: g.procfs, CgroupFS: filepath.Join(g.sysfs, "fs/cgroup"),
		Runtimes: g.runtimes, NoFold: !g.fold,
	}
}

// onceRuleTime is how long a command that scans once may read rules of domains: it
// has no later scan that goes on.
const onceRuleTime = 10 * time.Second

// open opens what a command scans this host with, and returns what it was found among.
func (g *globals) open() (scan.Source, *sources.Found, error) {
	o := g.sources(onceRuleTime)
	f, err := sources.Find(o)
	if err != nil {
		return nil, nil, err
	}
	return workload.NewSource(f.Reader(o), workload.Open(g.workloads())), f, nil
}
