// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"context"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/resolver"
)

// checkAssets reports whether what the configuration's assets are can be found out here. It
// opens what a scan would.
func checkAssets(h *host, say say) {
	const what = "assets"
	switch {
	case h.assetsErr != nil:
		say(note, what, "not known: the configuration cannot be loaded: %s", inforce.Brief(h.assetsErr))
	case !resolver.HavePaths(h.assets):
		say(ok, what, "the configuration has none with paths; no process looks for any")
	case h.iteratorErr != nil:
		say(note, what, "which processes reach those with paths is not known: that takes the task iterator")
	case h.iterator.NoWays() != "":
		say(note, what, "which processes reach those with paths is not known: %s", h.iterator.NoWays())
	case !confine.Permitted(unix.CAP_DAC_READ_SEARCH):
		say(note, what, "which processes reach those with paths is not known: to find what others may "+
			"not search takes CAP_DAC_READ_SEARCH. %s", assetsHint)
	default:
		lookForAssets(h, say)
	}
}

const assetsHint = "The unit of systemd gets it by the drop-in assets.conf (docs/install.md), on " +
	"Kubernetes by the overlay assets; then restart landlockd"

// lookForAssets does what a scan does, and looks whether a daemon that runs here can.
func lookForAssets(h *host, say say) {
	local, err := resolver.OpenLocal(cmp.Or(h.o.RootFS, "/"), func() []domainid.Asset { return h.assets })
	if err != nil {
		say(note, "assets", "--path.rootfs: %s", err)
		return
	}
	defer func() { _ = local.Close() }()
	objects, _, _ := local.Resolve(context.Background())
	found, absent := 0, 0
	for _, o := range objects {
		switch o.Kind {
		case domainid.ObjectUnreadable:
			say(note, "assets", "%s cannot be looked at, not all of it, or not in time: asset %s is "+
				"unknown", o.Path, h.assets[o.Asset].Name)
		case domainid.ObjectAbsent:
			absent++
		default:
			found++
		}
	}
	say(ok, "assets", "what they are can be found out: %d files and directories, and %d paths "+
		"that are not here", found, absent)
	if serves, resolves := runningHere(h.o.ProcFS); serves && !resolves {
		say(note, "assets", "landlockd runs here without the process that looks for them "+
			"(landlockd-paths). %s", assetsHint)
	}
}

// runningHere reports whether a process has the daemon's name, and whether one has that of the
// one beside it.
func runningHere(proc string) (serves, resolves bool) {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return false, false
	}
	all, err := fs.AllProcs()
	if err != nil {
		return false, false
	}
	for _, p := range all {
		comm, err := p.Comm()
		serves = serves || err == nil && comm == "landlockd"
		resolves = resolves || err == nil && comm == "landlockd-paths"
	}
	return serves, resolves
}
