// SPDX-License-Identifier: Apache-2.0

// Package resolver opens what the paths of assets are, anew for each scan: as places only
// (O_PATH), so that a source can look at what the kernel has of them.
//
// That takes CAP_DAC_READ_SEARCH for what others may not search, such as /root. A process
// that has it, and no network, does it ([Serve]) for one that has a network and no
// capability ([Remote]); commands, which are privileged, do it themselves ([Local]). Names
// are those of others, who may also delay each call for ever. A resolver that was taken over
// may send anything, and so may who asks it: both are bounded and checked.
package resolver

import (
	"slices"

	"github.com/landlockd/landlockd/domainid"
)

// pathsOf returns the paths, and patterns, of files or sockets.
func pathsOf(a *domainid.Asset) []string {
	if len(a.Unix) > 0 {
		return a.Unix
	}
	return a.Paths
}

// HavePaths reports whether any asset has one: otherwise there is nothing to open.
func HavePaths(assets []domainid.Asset) bool {
	return slices.ContainsFunc(assets, func(a domainid.Asset) bool { return len(pathsOf(&a)) > 0 })
}
