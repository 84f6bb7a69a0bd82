// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/web"
)

// openRules loads the rules, as the user that serves.
func (d *Daemon) openRules() (*inforce.Set, error) {
	options := inforce.Options{
		Load: d.load, Logger: d.o.Logger,
	}
	if d.cmdline || d.status[confine.Landlock] != confine.Holds {
		options.Cmdline = cmdline.New(d.o.Sources.ProcFS)
	}
	rules, err := inforce.New(options)
	switch {
	case err == nil:
		return rules, nil
	case d.config == nil: // the first stage could read them
		return nil, usagef("configuration, read as user %d: %w", os.Getuid(), inforce.Brief(err))
	default:
		return nil, UsageError{inforce.Brief(err)}
	}
}

// load loads the rules. What is wrong with the web configuration, which is read for each
// connection, shows nowhere else.
func (d *Daemon) load() (*policy.Config, error) {
	if err := web.ValidateConfig(d.o.WebConfig); err != nil {
		return nil, fmt.Errorf("--web.config.file %s: %w", d.o.WebConfig, err)
	}
	c, err := inforce.Load(d.o.ConfigFile)
	if err == nil {
		d.warnOfAssets(c)
	}
	return c, err
}

// reloader loads the configuration again, and notifies the service manager. It
// begins closed.
type reloader struct {
	rules   *inforce.Set
	tally   *runs.Tally // or nil
	manager *os.File
	serving string // what it shows while nothing else is going on

	mu      sync.Mutex // held by the one that reloads, and before the first ready
	stopped bool
}

func newReloader(
	rules *inforce.Set, tally *runs.Tally, manager *os.File, serving string,
) *reloader {
	r := &reloader{rules: rules, tally: tally, manager: manager, serving: serving}
	r.mu.Lock()
	return r
}

// ready notifies the service manager that the daemon serves. From then on it can
// reload; who tried before has waited.
func (r *reloader) ready() {
	notify(r.manager, "READY=1\nSTATUS="+r.serving)
	r.mu.Unlock()
}

// stop waits for the end of a reload, and prevents further ones.
func (r *reloader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	notify(r.manager, "STOPPING=1\nSTATUS=Stopping")
}

func (r *reloader) reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errors.New("landlockd is stopping")
	}
	notify(r.manager, reloading())
	// What ended is judged by the rules from before, and what ends from now on by these.
	r.update()
	err, status := r.rules.Reload(), ""
	r.update()
	if err != nil {
		status = ", with the rules from before: the configuration was not loaded"
	}
	notify(r.manager, "READY=1\nSTATUS="+r.serving+status)
	return err
}

// update adds up what ended, if that is counted.
func (r *reloader) update() {
	if r.tally != nil {
		r.tally.Update(nil)
	}
}

// reloading is the message that sd_notify(3) asks for, with the time of the clock
// that service managers compare with.
func reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "RELOADING=1\nSTATUS=Reloading"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=Reloading", now.Nano()/1000)
}
