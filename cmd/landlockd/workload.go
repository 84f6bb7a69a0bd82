// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// workloadSettings are the flags that have to do with workloads.
type workloadSettings struct {
	limit            int
	include, exclude string
	fold             bool
	series           bool
	runtimeUnits     []string
	// options and runtimes follow from the others.
	options  collector.WorkloadOptions
	runtimes workload.RuntimeUnits
}

// flags defines the flags of all commands, and those of the commands with metrics.
func (w *workloadSettings) flags(app *kingpin.Application, metrics ...*kingpin.CmdClause) {
	app.Flag("workload.fold", "Fold names of workloads, so that they are stable and few: getty@tty1.service is getty@.service.").Default("true").BoolVar(&w.fold)
	app.Flag("workload.runtime-unit", "A unit below whose own cgroup are containers that root "+
		"runs, beside those that are known, as k3s.service (repeatable). What is below other "+
		"units is theirs.").PlaceHolder("UNIT").StringsVar(&w.runtimeUnits)
	for _, c := range metrics {
		c.Flag("workload.limit", "Number of workloads that have series of their own; the others are added up as \"other\".").Default("100").IntVar(&w.limit)
		c.Flag("workload.include", "Only workloads whose whole name this RE2 expression matches have series of their own.").PlaceHolder("REGEXP").StringVar(&w.include)
		c.Flag("workload.exclude", "Workloads whose whole name this RE2 expression matches have none.").PlaceHolder("REGEXP").StringVar(&w.exclude)
		c.Flag("collector.workloads", "Export series for each workload; the number of workloads by state is exported without, too.").Default("true").BoolVar(&w.series)
	}
}

func (w *workloadSettings) validate() error {
	if w.limit < 0 {
		return usageError{fmt.Errorf("--workload.limit is %d, but cannot be negative", w.limit)}
	}
	w.options = collector.WorkloadOptions{Hide: !w.series, Limit: w.limit, Slots: &collector.Slots{}}
	var err error
	if w.runtimes, err = workload.NewRuntimeUnits(w.runtimeUnits...); err != nil {
		return usageError{fmt.Errorf("--workload.runtime-unit: %w", err)}
	}
	if w.include != "" {
		if w.options.Include, err = collector.AnchoredRegexp(w.include); err != nil {
			return usageError{fmt.Errorf("--workload.include: %w", err)}
		}
	}
	if w.exclude != "" {
		if w.options.Exclude, err = collector.AnchoredRegexp(w.exclude); err != nil {
			return usageError{fmt.Errorf("--workload.exclude: %w", err)}
		}
	}
	return nil
}

// resolver returns what names workloads.
func (s *settings) resolver() *workload.Resolver {
	return workload.Open(workload.Options{
		ProcFS: s.procfs, CgroupFS: filepath.Join(s.sysfs, "fs/cgroup"),
		Runtimes: s.workloads.runtimes, NoFold: !s.workloads.fold,
	})
}

// named returns a source that names the workloads of what another one finds, and
// logs a warning if it cannot find their cgroups.
func (s *settings) named(src scan.Source) scan.Source {
	r := s.resolver()
	if limits := r.Limits(); limits != "" {
		s.logger.Warn("Workloads are named after executables: their cgroups cannot be found", "reason", limits)
	}
	return workload.NewSource(src, r)
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
