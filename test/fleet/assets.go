// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Since which ABI a kernel can keep processes from the assets.
const (
	signalsSince = 6
	socketsSince = 9
)

// Assets are those of every host's configuration. To what has a path ways are read where
// rules are.
func Assets() []domainid.Asset {
	return []domainid.Asset{
		{Name: "outside", Signal: true},
		{Name: "runtime", Unix: []string{"/run/docker.sock"}},
	}
}

// AssetTruth is how many sandboxed processes there are by whether Landlock keeps them from an
// asset.
type AssetTruth struct{ Out, Within, Unknown int }

// reach returns what is true of the unit's processes by the asset's name.
func (u *Unit) reach(h *Host) map[string]AssetTruth {
	sandboxed := u.Processes[scan.Sandboxed]
	outside, runtime := AssetTruth{Within: sandboxed}, AssetTruth{Within: sandboxed}
	if h.ABI >= signalsSince && !h.FilesOnly {
		// Who is restricted in nothing, or has a worker outside, are the first ones.
		outside.Within = max(u.Ineffective, u.OutsideWorkers)
		outside.Out = sandboxed - outside.Within
	}
	switch {
	case !h.readsRules():
		runtime.Within = u.OutsideWorkers
		runtime.Unknown = sandboxed - runtime.Within
	case h.ABI >= socketsSince:
		runtime.Within = max(u.Ineffective, u.OutsideWorkers)
		runtime.Out = sandboxed - runtime.Within
	}
	return map[string]AssetTruth{"outside": outside, "runtime": runtime}
}

// Within is a workload that is within reach of an asset.
type Within struct{ Asset, Workload string }

// WithinTruth is how many sandboxed processes of it are, and the hosts that name it.
type WithinTruth struct{ Processes, Hosts int }

// maxWithin is how many of these a host names, with one more for each asset for all others.
const maxWithin = 100

// addWithin adds those of a host: what users name comes last, then assets are in their order.
func (t *Truth) addWithin(h *Host) {
	var all []Within
	for _, a := range Assets() {
		for _, u := range h.Units {
			if u.reach(h)[a.Name].Within > 0 {
				all = append(all, Within{a.Name, u.Name})
			}
		}
	}
	order := func(w Within) int {
		place := slices.IndexFunc(Assets(), func(a domainid.Asset) bool { return a.Name == w.Asset })
		if strings.HasPrefix(w.Workload, "container:") {
			place += len(Assets())
		}
		return place
	}
	slices.SortFunc(all, func(a, b Within) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Workload, b.Workload))
	})
	named := map[Within]bool{}
	for i, w := range all {
		u := h.Units[slices.IndexFunc(h.Units, func(u Unit) bool { return u.Name == w.Workload })]
		n := u.reach(h)[w.Asset].Within
		if i >= maxWithin-len(Assets()) {
			w.Workload = "other"
		}
		of := t.Within[w]
		if of.Processes += n; !named[w] {
			of.Hosts++
		}
		named[w], t.Within[w] = true, of
	}
}
