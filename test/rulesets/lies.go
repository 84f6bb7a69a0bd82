// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// lie is what a scan would say if landlockd had a fault: that one right is denied, or one way
// past a right closed. If nothing that was reached is at odds with it the test is blind there.
type lie struct {
	name string
	tell func(*scan.Snapshot) *scan.Snapshot
	// isIn reports whether what was found is this lie.
	isIn func(fault) bool
}

// lied are the rights that assets are about.
func lied() []string {
	return append(append(slices.Clone(changesDir), reads...), "fs.resolve_unix",
		"net.bind_tcp", "net.connect_tcp", "scope.abstract_unix_socket", "scope.signal")
}

// lies are all that scans on a host could state.
func lies(snap *scan.Snapshot) (all []lie) {
	for _, name := range lied() {
		right := named(name)
		tell := func(snap *scan.Snapshot) *scan.Snapshot { return denying(snap, right) }
		of := func(f fault) bool { return f.right == right }
		if right.Class == access.FS {
			onObject := func(f fault) bool { return of(f) && f.asset == "" }
			all = append(all, lie{name + " on objects", tell, onObject})
		}
		// Where nothing restricts fs.truncate, who writes is within reach whatever else is denied.
		written := snap.Kernel.Rights.Of(named("fs.truncate")) == access.No && name != "fs.truncate" &&
			slices.Contains(changesDir, name)
		if name != "fs.refer" && !written { // the one alone reaches nothing
			onAsset := func(f fault) bool { return of(f) && f.asset != "" }
			all = append(all, lie{name + " on assets", tell, onAsset})
		}
	}
	for _, w := range snap.Kernel.Ways.All() {
		if w.Right.Class != access.Net {
			continue // it is open where directories are moved by others
		}
		all = append(all, lie{w.String(), func(snap *scan.Snapshot) *scan.Snapshot {
			closed := *snap
			closed.Kernel.Ways, closed.Kernel.WaysUnknown = 0, 0
			return &closed
		}, func(f fault) bool { return f.way == w.Ways() }})
	}
	return all
}

// denying returns a snapshot that says that a right is denied everywhere.
func denying(snap *scan.Snapshot, right access.Right) *scan.Snapshot {
	l := *snap
	if right.Class == access.FS {
		l.Scenes = nil
		for _, scene := range snap.Scenes {
			scene.Places = slices.Clone(scene.Places)
			for i := range scene.Places {
				for _, of := range []*domainid.FileRights{&scene.Places[i].Denied, &scene.Places[i].Below} {
					of.Sure |= 1 << right.Bit
					of.May |= 1 << right.Bit
				}
			}
			l.Scenes = append(l.Scenes, scene)
		}
		return &l
	}
	l.Domains = slices.Clone(snap.Domains)
	for i := range l.Domains {
		d := &l.Domains[i]
		d.Handled[right.Class] |= 1 << right.Bit
		if d.Ruleset == nil || right.Class != access.Net {
			continue
		}
		rules := *d.Ruleset
		rules.EveryPort &^= 1 << right.Bit
		rules.Ports = slices.Clone(rules.Ports)
		for k := range rules.Ports {
			rules.Ports[k].Net &^= 1 << right.Bit
		}
		d.Ruleset = &rules
	}
	return &l
}
