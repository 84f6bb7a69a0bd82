// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"fmt"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// fault is something that was reached, and that a scan says Landlock keeps the thread from.
type fault struct {
	hit
	// asset is the name of one that is said to be out of reach; empty if the fault is in
	// what is said of rights to an object.
	asset string
	text  string
}

func (f *fault) Error() string { return f.text }

// judge holds what a thread reached against what a scan says of it.
func (g *Ground) judge(snap *scan.Snapshot, task scan.Task, hits []hit) (faults []fault) {
	var places []domainid.Place
	if task.Scene != domainid.NoScene {
		places = snap.Scenes[task.Scene-1].Places
	}
	plain := *snap // as if no way past a right were open: plain calls do not go by them
	plain.Kernel.Ways, plain.Kernel.WaysUnknown = 0, 0
	reached := map[bool][]domainid.Reached{
		true:  plain.Meaning().Reached(task.Domain, task.Scene),
		false: snap.Meaning().Reached(task.Domain, task.Scene),
	}
	for _, h := range hits {
		add := func(asset, format string, a ...any) {
			text := fmt.Sprintf("%s had %s: ", h.call, h.right.Name) + fmt.Sprintf(format, a...)
			faults = append(faults, fault{h, asset, text})
		}
		if h.right.Class == access.FS {
			for i := range places {
				p := &places[i]
				switch o := &g.Objects[i]; {
				case h.replaces || o.Asset >= 0:
				case i == h.object && h.right.In(access.FS.Rights(p.Denied.Sure)):
					add("", "on %s, of %+v", o.Path, *p)
				case g.inside(h.object, i) && h.right.In(access.FS.Rights(p.Below.Sure)):
					add("", "on %s, below %s, of %+v", g.Objects[h.object].Path, o.Path, *p)
				}
			}
		}
		if h.right.Class == access.Net { // on a port that may be in no asset
			bind := h.right == named("net.bind_tcp")
			is := domainid.Asset{Name: "the port", TCP: []uint16{h.port}, Bind: bind, Connect: !bind}
			on := plain
			if h.way != 0 {
				on = *snap
			}
			on.Assets, on.Objects, on.Scenes = []domainid.Asset{is}, nil, nil
			if r := on.Meaning().Reached(task.Domain, domainid.NoScene)[0]; r.Reach == domainid.OutOfReach {
				add(is.Name, "port %d is out of reach", h.port)
			}
			continue
		}
		for i := range snap.Assets {
			r := &reached[h.way == 0][i]
			if r.Reach == domainid.OutOfReach && g.about(&snap.Assets[i], &h) {
				add(snap.Assets[i].Name, "%+v is out of reach", snap.Assets[i])
			}
		}
	}
	return faults
}

// Rights by which a directory, or a file, is written.
var (
	changesDir = []string{
		"fs.write_file", "fs.truncate", "fs.make_reg", "fs.make_dir", "fs.make_char",
		"fs.make_block", "fs.make_fifo", "fs.make_sock", "fs.make_sym", "fs.remove_file", "fs.remove_dir",
		"fs.refer",
	}
	changesFile = []string{"fs.write_file", "fs.truncate"}
	reads       = []string{"fs.read_file", "fs.read_dir"}
)

// about reports whether who reached something reached an asset, as docs/assets.md has it.
func (g *Ground) about(a *domainid.Asset, h *hit) bool {
	if h.object < 0 {
		return a.Signal && h.right.Name == "scope.signal" ||
			a.AbstractUnix && h.right.Name == "scope.abstract_unix_socket"
	}
	for _, path := range a.Unix {
		if h.object == int(g.at(path)) && h.right.Name == "fs.resolve_unix" {
			return true
		}
	}
	for _, path := range a.Paths {
		o := int(g.at(path))
		file := g.Objects[o].Kind == domainid.ObjectFile
		switch {
		case a.Write && h.replaces:
			if g.inside(o, h.object) || g.inside(h.object, o) {
				return true
			}
		case a.Read && g.inside(h.object, o) && slices.Contains(reads, h.right.Name),
			a.Write && file && h.object == o && slices.Contains(changesFile, h.right.Name),
			// Who may remove one file of a directory may remove another.
			a.Write && file && h.object == int(g.Objects[o].Parent) && h.right.Name == "fs.remove_file",
			a.Write && !file && g.inside(h.object, o) && slices.Contains(changesDir, h.right.Name):
			return true
		}
	}
	return false
}
