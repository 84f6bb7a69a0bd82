// SPDX-License-Identifier: Apache-2.0

package fleet

import (
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
