// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"unique"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// rulebook keeps what was read of the rules of domains. A domain never changes:
// its rules are read once, through one of its tasks, and again for each other
// root directory that its tasks have, because it depends on the root directory
// what "everywhere" is.
type rulebook struct {
	scan  uint64
	views map[viewKey]*view
	// now are the views of this scan.
	now []*view
	// layers are the rules of each domain's own layer, used the number of those
	// that a domain of this scan has.
	layers map[domainid.ID]*layerRules
	used   int
	shared sharedRulesets
	// launcherBytes is the size of all launchers' paths in layers.
	launcherBytes int
}

// maxLauncherBytes bounds the memory that paths of launchers may take together.
// Beyond it they are left out: whoever can make many domains could do so from
// as many files.
const maxLauncherBytes = 4 << 20

// viewKey is a domain as tasks with one root directory have it.
type viewKey struct {
	domain domainid.ID
	root   uint64
}

type view struct {
	scan uint64
	// read: restricted is known. tried: it is of no use to read it again.
	read, tried bool
	// scans is the number of scans that tried to read it.
	scans int
	// restricted are the rights that the domain and its parents restrict.
	restricted access.Rights
	// place is where it stands in now.
	place int32
	// tasks are some of those in it, by their places in pass.tasks.
	tasks    [maxRulePasses]int32
	numTasks int
}

type layerRules struct {
	scan  uint64
	rules *domainid.Ruleset
	// launcher is the path of the executable that made the domain, or empty.
	launcher string
}

func newRulebook() rulebook {
	return rulebook{views: map[viewKey]*view{}, layers: map[domainid.ID]*layerRules{}, shared: newSharedRulesets()}
}

// begin starts a scan.
func (b *rulebook) begin() {
	b.scan++
	b.now, b.used = b.now[:0], 0
}

// see notes a task of this scan, by its place in pass.tasks, and returns what
// belongs in its record.
func (b *rulebook) see(k viewKey, task int32) int32 {
	v := b.views[k]
	if v == nil {
		v = &view{}
		b.views[k] = v
	}
	if v.scan != b.scan {
		v.scan, v.place, v.numTasks = b.scan, int32(len(b.now)), 0
		b.now = append(b.now, v)
	}
	if v.numTasks < len(v.tasks) {
		v.tasks[v.numTasks] = task
		v.numTasks++
	}
	return v.place + 1
}

// restricted returns what was read of the view in a task's record.
func (b *rulebook) restricted(place int32) (access.Rights, bool) {
	if place < 1 || int(place) > len(b.now) {
		return access.Rights{}, false
	}
	v := b.now[place-1]
	return v.restricted, v.read
}

// of returns the rules of a domain's own layer, or nil, and which program made
// it, and keeps them.
func (b *rulebook) of(id domainid.ID) (rules *domainid.Ruleset, launcher string) {
	l := b.layers[id]
	if l == nil {
		return nil, ""
	}
	if l.scan != b.scan {
		l.scan = b.scan
		b.used++
	}
	return l.rules, l.launcher
}

// keep notes the rules of a domain's own layer, if they are not known.
func (b *rulebook) keep(id domainid.ID, rules func() *domainid.Ruleset) {
	if b.layers[id] == nil {
		b.layers[id] = &layerRules{rules: b.shared.take(rules())}
	}
}

// keepLauncher notes which program made a domain whose rules are known.
func (b *rulebook) keepLauncher(id domainid.ID, path []byte) {
	l := b.layers[id]
	if l == nil || l.launcher != "" || b.launcherBytes+len(path) > maxLauncherBytes {
		return
	}
	l.launcher = unique.Make(string(path)).Value()
	b.launcherBytes += len(path)
}

// end forgets what no task of this scan has.
func (b *rulebook) end() {
	if len(b.now) < len(b.views) {
		for k, v := range b.views {
			if v.scan != b.scan {
				delete(b.views, k)
			}
		}
	}
	if b.used < len(b.layers) {
		for id, l := range b.layers {
			if l.scan != b.scan {
				b.shared.release(l.rules)
				b.launcherBytes -= len(l.launcher)
				delete(b.layers, id)
			}
		}
	}
}
