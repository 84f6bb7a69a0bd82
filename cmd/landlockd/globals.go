// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/resolver"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

const procattrFile = "/proc/PID/attr/landlock/domain"

// globals are flags that several commands share, each those that it has a use for: how this host
// is looked at, and the log.
type globals struct {
	sources      sources.Options
	workloads    workload.Options // follows from the flags
	fold         bool
	runtimeUnits []string
	log          promslog.Config
	// own: the user set how this host is looked at, as no daemon does for this command.
	own bool
}

func newGlobals() *globals {
	return &globals{log: promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat()}}
}

// flags are those of commands that scan this host.
func (g *globals) flags(c *kingpin.CmdClause) {
	o := &g.sources
	g.mounts(c)
	c.Flag("source", "How domains are read: taskiter (from the kernel, by BPF), procattr (from "+
		procattrFile+", where a kernel has it), auto (the first of these that works), both (with "+
		"both, and compare).").Default(sources.Auto).IsSetByUser(&g.own).EnumVar(&o.Kind, sources.Kinds()...)
	c.Flag("workload.fold", "Fold names of workloads, so that they are stable and few: "+
		"getty@tty1.service is getty@.service.").Default("true").IsSetByUser(&g.own).
		BoolVar(&g.fold)
	c.Flag("workload.runtime-unit", "A unit below whose own cgroup are containers that root "+
		"runs, beside those that are known, as k3s.service (repeatable). What is below other "+
		"units is theirs.").PlaceHolder("UNIT").IsSetByUser(&g.own).StringsVar(&g.runtimeUnits)
}

// mounts are where the host's filesystems are.
func (g *globals) mounts(c *kingpin.CmdClause) {
	c.Flag("path.procfs", "Where procfs is mounted.").Default("/proc").
		IsSetByUser(&g.own).StringVar(&g.sources.ProcFS)
	c.Flag("path.sysfs", "Where sysfs is mounted.").Default("/sys").
		IsSetByUser(&g.own).StringVar(&g.sources.SysFS)
}

// rootfs is a flag of commands that look at assets.
func (g *globals) rootfs(c *kingpin.CmdClause) {
	c.Flag("path.rootfs", "Where the host's root directory is mounted in a container: paths of "+
		"assets begin there.").Default("/").IsSetByUser(&g.own).StringVar(&g.sources.RootFS)
}

// logging are the flags of commands that run without anybody who looks.
func (g *globals) logging(c *kingpin.CmdClause) {
	c.Flag(promslogflag.LevelFlagName, promslogflag.LevelFlagHelp).Default("info").
		HintOptions(promslog.LevelFlagOptions...).SetValue(g.log.Level)
	c.Flag(promslogflag.FormatFlagName, promslogflag.FormatFlagHelp).Default("logfmt").
		HintOptions(promslog.FormatFlagOptions...).SetValue(g.log.Format)
}

// validate is that of commands that look at this host.
func (g *globals) validate() error {
	if err := checkProcfs(g.sources.ProcFS); err != nil {
		return usageError{err}
	}
	return g.prepare()
}

// checkProcfs reports whether procfs is mounted at a path: any directory would
// look like a host without processes.
func checkProcfs(path string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return fmt.Errorf("--path.procfs %q: %w", path, err)
	}
	if st.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("--path.procfs %q: procfs is not mounted there", path)
	}
	return nil
}

// prepare makes what follows from the flags.
func (g *globals) prepare() error {
	g.sources.Logger = promslog.New(&g.log)
	runtimes, err := workload.NewRuntimeUnits(g.runtimeUnits...)
	if err != nil {
		return usagef("--workload.runtime-unit: %w", err)
	}
	g.workloads = workload.Options{
		ProcFS: g.sources.ProcFS, CgroupFS: filepath.Join(g.sources.SysFS, "fs/cgroup"),
		Runtimes: runtimes, NoFold: !g.fold,
	}
	return nil
}

// onceRuleTime is how long a command that scans once may read rules of domains, and a third
// of its time at most: it has no later scan that goes on.
const onceRuleTime = 10 * time.Second

// open opens what a command scans this host with, and returns what it was found among. It
// is not closed: a scan that hangs still uses it, and the command ends.
func (g *globals) open(d deadline, assets []domainid.Asset) (src scan.Source, f *sources.Found, err error) {
	o := g.sources
	o.RuleTime = min(onceRuleTime, d.timeout/3)
	f, err = inTime(d, "preparing to scan", func() (*sources.Found, error) { return sources.Find(o) })
	if err != nil {
		return nil, nil, err
	}
	src, err = inTime(d, "preparing to name workloads", func() (scan.Source, error) {
		ask := func() []domainid.Asset { return assets }
		if resolver.HavePaths(assets) {
			if err := f.OpenAssets(o, ask); err != nil {
				return nil, fmt.Errorf("--path.rootfs: %w", err)
			}
		}
		asking := scan.Asking(f.Reader(o), ask)
		return workload.NewSource(asking, workload.Open(g.workloads)), nil
	})
	return src, f, err
}
