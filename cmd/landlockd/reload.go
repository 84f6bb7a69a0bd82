// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
)

// surviveHangup keeps SIGHUP from ending this program until settings.run knows
// whether it is a daemon.
func surviveHangup() {
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
}

// endOnHangup is for what ends with its terminal.
func endOnHangup() { signal.Reset(unix.SIGHUP) }

// ignoreHangup lets the first stage pass over SIGHUP. Unlike a handler, that goes
// through execve(2). Nothing is lost: the second stage reads the files anew, after
// it has begun to listen.
func ignoreHangup() { signal.Ignore(unix.SIGHUP) }

func hangups() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGHUP)
	return c
}

// openRules loads the rules, as the user that serves.
func (s *settings) openRules(o *opened, status confine.Status) (*inforce.Set, error) {
	options := inforce.Options{Load: s.loadConfig, Logger: s.logger}
	if o.cmdline || !status.Landlock {
		options.Cmdline = cmdline.New(s.procfs)
	}
	rules, err := inforce.New(options)
	switch {
	case err == nil:
		return rules, nil
	case o.config == nil: // the first stage could read them
		return nil, fmt.Errorf("configuration, read as user %d: %w", os.Getuid(), configError(err))
	default:
		return nil, configError(err)
	}
}

// reloader loads the configuration again, and notifies the service manager. It
// begins closed.
type reloader struct {
	rules   *inforce.Set
	manager *os.File

	mu      sync.Mutex // held by the one that reloads, and before the first ready
	stopped bool
}

func newReloader(rules *inforce.Set, manager *os.File) *reloader {
	r := &reloader{rules: rules, manager: manager}
	r.mu.Lock()
	return r
}

// ready notifies the service manager that the daemon serves. From then on it can
// reload; who tried before has waited.
func (r *reloader) ready() {
	tell(r.manager, "READY=1\nSTATUS=Serving")
	r.mu.Unlock()
}

// stop waits for the end of a reload, and prevents further ones.
func (r *reloader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	tell(r.manager, "STOPPING=1\nSTATUS=Stopping")
}

func (r *reloader) reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errors.New("landlockd is stopping")
	}
	tell(r.manager, reloading())
	err := r.rules.Reload()
	if err != nil {
		tell(r.manager, "READY=1\nSTATUS=Serving, with the rules from before: the configuration was not loaded")
		return err
	}
	tell(r.manager, "READY=1\nSTATUS=Serving")
	return nil
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
