// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/btf"
	manager "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/scan"
)

// Daemon is one that has all that it needs privileges for.
type Daemon struct {
	o Options
	*opened
	status confine.Status
	// refused is why nothing is scanned, if it is for how this process is confined.
	refused []confine.Failure
	reader  scan.Source
	// feed counts processes that end since a time; nil if they are not counted.
	feed  runs.Feed
	since time.Time
	// readerGone is closed when the process that reads the attribute has ended; nil without.
	readerGone <-chan struct{}
}

// Open opens all that needs privileges. Unless confinement is off, it returns in the
// serving stage only: in the first one it executes this program again, with
// [Options.Args], and returns if that fails.
//
// Whoever calls it ignores SIGHUP. Unlike a handler, that goes through execve(2), and
// nothing is lost: Serve reads the rules anew.
func Open(o Options) (*Daemon, error) {
	d, err := open(o)
	if err != nil {
		return nil, err
	}
	d.reader = d.found.Reader(o.Sources)
	if err := d.checkDomain(); err != nil {
		return nil, err
	}
	d.openFeed()
	return d, nil
}

func open(o Options) (*Daemon, error) {
	if number, ok := os.LookupEnv(stageEnv); ok {
		return takeOver(o, number)
	}
	opened, err := openPrivileged(o)
	if err != nil {
		return nil, err
	}
	d := &Daemon{o: o, opened: opened}
	if o.Confine == Off {
		o.Logger.Warn("Not confined: --confine=off")
		return d, nil
	}
	err = d.execServing()
	opened.close()
	return nil, err
}

// openPrivileged does what needs privileges.
func openPrivileged(o Options) (*opened, error) {
	defer collectLate()()
	if err := web.ValidateConfig(o.WebConfig); err != nil {
		return nil, usagef("--web.config.file %s: %w", o.WebConfig, err)
	}
	if _, _, err := confine.User(o.User); err != nil {
		return nil, userError(o.User, err)
	}
	config, err := inforce.Load(o.ConfigFile)
	if err != nil {
		return nil, UsageError{err} // all that is wrong: nothing else will show it
	}
	p := &opened{config: config, cmdline: config.UsesCmdline()}
	if err := p.openFiles(o); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (o *opened) openFiles(from Options) (err error) {
	if o.notify, err = dialNotify(); err != nil {
		return err
	}
	if o.watchdog, err = manager.SdWatchdogEnabled(false); err != nil {
		return fmt.Errorf("the service manager's watchdog: %w", err)
	}
	notify(o.notify, "STATUS=Loading")
	if o.listeners, err = openListeners(from); err != nil {
		return err
	}
	// All programs are for the same kernel, whose types take long to decode.
	types := btf.NewCache()
	from.Sources.Types = types
	begin, end := o.runsBeside(from, types)
	from.Sources.Calibrated = begin
	defer end()
	found, err := sources.Find(from.Sources)
	if err != nil {
		return err
	}
	o.found = *found
	if found.Iterator != nil && !found.Iterator.Unprivileged() {
		o.goal.Keep = append(o.goal.Keep, unix.CAP_BPF)
	}
	// After all else that can end the start: its file stays.
	if o.api, err = openAPI(from); err != nil {
		return err
	}
	// Where there is no Landlock, nothing is denied by it.
	if found.Kernel == nil || found.Kernel.Landlock == scan.Enabled {
		o.denials, o.denialFiles = openDenials(from, types)
	}
	return nil
}
