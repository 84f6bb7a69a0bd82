// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
)

// stageEnv is set for the second stage, to the number of the descriptor that
// holds its handoff. Nobody gains by setting it: the second stage only uses what
// it was started with.
const stageEnv = "LANDLOCKD_STAGE"

// EnterStage names a process that is the second stage, or one beside it, and makes it
// undumpable. It is for the main thread, whose name is the process's: execve(2) by descriptor
// names that after the descriptor, or the file behind it; and its domain lets the serving
// stage write to no file, so that /proc/self/comm is out of reach.
func EnterStage() {
	_, serving := os.LookupEnv(stageEnv)
	if serving || IsBeside() {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // takeOver makes sure
		name := [16]byte{'l', 'a', 'n', 'd', 'l', 'o', 'c', 'k', 'd'}
		if h, err := parseBeside(); err == nil {
			copy(name[len("landlockd"):len(name)-1], "-"+string(h.Role))
		}
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	}
}

// execServing replaces this process by the serving stage. It only returns if
// that failed.
func (d *Daemon) execServing() error {
	var err error
	if d.goal.UID, d.goal.GID, err = confine.User(d.o.User); err != nil {
		return userError(d.o.User, err)
	}
	d.goal.Bounding = confine.Effective(unix.CAP_SETPCAP)
	readable, err := d.readable()
	if err != nil {
		return err
	}
	if d.found.Attribute {
		if err := d.startReader(); err != nil {
			return err
		}
	}
	d.startResolver()
	files, err := d.pack()
	if err != nil {
		return err
	}
	handoffFD := files[0].Fd()
	plan := confine.Plan{
		Goal: d.goal, ReadBelow: readable, ListBelow: listable(), Files: files,
		Failed: func(f confine.Failure, err error) error {
			d.o.Logger.Warn("The serving stage cannot be confined in every way",
				"mechanism", f.Mechanism.String(), "reason", f.Reason.String(), "err", err)
			return addFailure(files[0], f)
		},
		Args: d.o.Args,
		Env:  append(servingEnv(os.Environ()), fmt.Sprintf("%s=%d", stageEnv, handoffFD)),
	}
	runtime.LockOSThread()
	wakeLater()
	return fmt.Errorf("confine the serving stage: %w", plan.Exec())
}

func userError(name string, err error) error {
	return usagef("--user %q: %w", name, err)
}

// readable lists what the serving stage must be able to read: cgroups, for the
// workloads, and what configures it.
func (d *Daemon) readable() ([]string, error) {
	dirs := []string{filepath.Join(d.o.Sources.SysFS, "fs/cgroup")}
	web, err := web.ConfigDirs(d.o.WebConfig)
	if err != nil {
		return nil, usagef("--web.config.file %s: %w", d.o.WebConfig, err)
	}
	config, err := inforce.Directories(d.o.ConfigFile, d.config)
	if err != nil {
		return nil, fmt.Errorf("--config.file: %w", err)
	}
	dirs = append(append(dirs, web...), config...)
	if slices.ContainsFunc(dirs, isRoot) {
		return nil, usagef("a configuration file is in the directory /, and the serving stage may read "+
			"what is below the directories of its files, which would be all there is (--config.file %q, "+
			"rule_files, --web.config.file %q): move it to a directory of its own, such as /etc/landlockd",
			d.o.ConfigFile, d.o.WebConfig)
	}
	if !d.o.Web.DisableExporterMetrics {
		// process_start_time_seconds is counted from the time of boot. Without
		// it each scrape would be a denial, of landlockd's own.
		dirs = append(dirs, "/proc/stat")
	}
	if d.cmdline {
		dirs = append(dirs, d.o.Sources.ProcFS)
	}
	return dirs, nil
}

// isRoot reports whether a path leads to the root directory, by whatever name.
func isRoot(path string) bool {
	root, err1 := os.Stat("/")
	dir, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(root, dir)
}

// listable lists the directories that the serving stage must be able to list: the
// names in them give those of containers. They may come later, or be made anew: the
// one above is among them. They may be links to elsewhere, too.
func listable() []string {
	logs := workload.DefaultLogs
	return []string{filepath.Dir(logs), logs, workload.DefaultPodLogs}
}

// takeOver is the begin of the serving stage: it makes sure that it is confined.
func takeOver(o Options, number string) (*Daemon, error) {
	d := &Daemon{o: o}
	// Before all else: nothing of what was handed on has been looked at.
	failed := []confine.Failure{confine.InspectKeyring()}
	err := seccomp.Install(seccomp.Serving())
	filtered := err == nil
	if !filtered {
		failed = append(failed, confine.FailureOf(confine.Seccomp, err))
		o.Logger.Warn("System calls of the serving stage are not restricted", "err", err)
	}
	if d.opened, err = unpack(number); err != nil {
		return nil, UsageError{err}
	}
	// Nobody with this user's ID may trace it and read what it reads.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // Inspect reads it back
	if d.status, err = confine.Inspect(d.goal, append(failed, d.failed...)...); err != nil {
		o.Logger.Error("How this process is confined cannot be read back", "err", err)
	}
	if err := d.meetReader(); err != nil {
		return nil, err
	}
	if err := d.settle(filtered); err != nil {
		return nil, err
	}
	if slices.Contains(d.goal.Keep, unix.CAP_BPF) {
		o.Logger.Info("This kernel needs CAP_BPF for every scan (before Linux 5.19); it is kept")
	}
	if err := web.ValidateConfig(o.WebConfig); err != nil {
		return nil, usagef("--web.config.file %s, read as user %d: %w", o.WebConfig, os.Getuid(), err)
	}
	return d, nil
}
