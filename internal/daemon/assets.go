// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/resolver"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/scan"
)

// startResolver starts the process that opens what assets are, if any asset has a path.
// Whatever comes of that, all else works without.
func (d *Daemon) startResolver() {
	if !resolver.HavePaths(d.config.Assets) || d.found.Iterator == nil ||
		d.found.Iterator.NoWays() != "" || d.found.Kernel.Landlock != scan.Enabled ||
		!confine.Permitted(unix.CAP_DAC_READ_SEARCH) {
		return // the serving stage says so
	}
	h := besideHandoff{Role: resolves, Goal: d.goal}
	h.Keep = []int{unix.CAP_DAC_READ_SEARCH}
	var err error
	if d.resolver, d.resolverPID, err = d.startBeside(h); err != nil {
		d.o.Logger.Error("What assets are is not looked for", "err", err)
	}
}

// trees are the directories in which the resolver may read names, for patterns: all but the one
// at the top, so that its domain can be seen from within.
func trees(root string) (dirs []string, err error) {
	root = cmp.Or(root, "/")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("--path.rootfs: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(root, e.Name()))
		}
	}
	return dirs, nil
}

// resolve is the resolver, confined. It has a capability that opens all there is, so that it does
// nothing unless it can do no more than it needs to.
func (h *besideHandoff) resolve(o Options) error {
	status, socket, err := h.begin(o, seccomp.Resolving())
	if err != nil {
		return err
	}
	failures := slices.DeleteFunc(status.Failures(), func(f confine.Failure) bool {
		// Containers of Kubernetes stay root, and best effort is what was asked for.
		return f.Reason == confine.Root && o.Confine != Require
	})
	if len(failures) > 0 {
		return fmt.Errorf("not confined by %s: what assets are is not looked for",
			failureWords(failures))
	}
	// Threads that wake one another would cost more than all that it does.
	runtime.GOMAXPROCS(1)
	return resolver.Serve(socket, cmp.Or(o.Sources.RootFS, "/"))
}

// askForAssets has scans look at what the assets of the rules in force are.
func (d *Daemon) askForAssets(rules *inforce.Set) {
	assets := func() []domainid.Asset { return rules.Config().Assets }
	var err error
	switch {
	case d.resolver != nil:
		var conn net.Conn
		conn, err = net.FileConn(d.resolver)
		d.resolver.Close()
		if err == nil {
			d.found.AskForAssets(resolver.NewRemote(conn, d.resolverPID, assets, d.o.Logger))
		}
	case d.o.Confine == Off:
		err = d.found.OpenAssets(d.o.Sources, assets)
	}
	if err != nil {
		d.o.Logger.Error("What assets are is not looked for", "err", err)
	}
}

// warnOfAssets logs that a configuration asks for what nobody looks for, and why.
func (d *Daemon) warnOfAssets(c *policy.Config) {
	if !resolver.HavePaths(c.Assets) || d.found.Kernel == nil ||
		d.found.Kernel.Landlock != scan.Enabled {
		return // there is nothing to look for
	}
	var reason string
	switch {
	case d.found.Iterator == nil:
		reason = "that takes the task iterator"
	case d.found.Iterator.NoWays() != "":
		reason = d.found.Iterator.NoWays()
	case d.resolver == nil && d.o.Confine != Off:
		reason = "that takes a start with CAP_DAC_READ_SEARCH (docs/assets.md)"
	default:
		return
	}
	d.o.Logger.Warn("Which assets with paths are within reach is not known", "reason", reason)
}
