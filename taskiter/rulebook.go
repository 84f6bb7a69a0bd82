// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"maps"
	"unique"

	"github.com/landlockd/landlockd/domainid"
)

// rulebook keeps what was read of the rules of domains. A domain never changes, on any
// kernel until now: the rules of its own layer are read once in its life, with those of its
// parents' layers that are not known.
type rulebook struct {
	scan uint64
	// layers are the rules of each domain's own layer, used the number of those
	// that a domain of this scan has.
	layers map[domainid.ID]*layerRules
	used   int
	// readings are those that were begun, by the domain through which they read.
	readings map[domainid.ID]*reading
	shared   sharedRulesets
	// launcherBytes is the size of all launchers' paths in layers.
	launcherBytes int
}

// maxLauncherBytes bounds the memory that paths of launchers may take together.
// Beyond it they are left out: whoever can make many domains could do so from
// as many files.
const maxLauncherBytes = 4 << 20

type layerRules struct {
	scan  uint64
	rules *sharedRuleset
	// launcher is the path of the executable that made the domain, or empty.
	launcher string
	// count is the number of rules of the domain and all that it is nested in, as the
	// kernel first stated it; changed: it was another one later.
	count   uint32
	changed bool
}

func newRulebook() rulebook {
	return rulebook{
		layers: map[domainid.ID]*layerRules{}, readings: map[domainid.ID]*reading{}, shared: newSharedRulesets(),
	}
}

// begin starts a scan.
func (b *rulebook) begin() {
	b.scan++
	b.used = 0
}

// of returns what is kept of a domain's own layer, or nil, and goes on to keep it. count is
// the number of rules of the domain and all that it is nested in, as the kernel states it now.
func (b *rulebook) of(id domainid.ID, count uint32) *layerRules {
	l := b.layers[id]
	if l == nil {
		return nil
	}
	if l.scan != b.scan {
		l.scan = b.scan
		b.used++
	}
	if count != domainid.RulesUncounted {
		if l.count == domainid.RulesUncounted {
			l.count = count
		}
		l.changed = l.changed || l.count != count
	}
	return l
}

// keep notes the rules of a domain's own layer, if they are not known, on the
// account of whoever is in it.
func (b *rulebook) keep(id domainid.ID, account uint32, rules *domainid.Ruleset, keys []keyedRule) {
	if b.layers[id] == nil && id != domainid.None {
		b.layers[id] = &layerRules{
			scan: b.scan, rules: b.shared.take(account, rules, keys), count: domainid.RulesUncounted,
		}
		b.used++
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
	if b.used < len(b.layers) {
		for id, l := range b.layers {
			if l.scan != b.scan {
				b.shared.release(l.rules)
				b.launcherBytes -= len(l.launcher)
				delete(b.layers, id)
			}
		}
	}
	maps.DeleteFunc(b.readings, func(_ domainid.ID, r *reading) bool { return r.scan != b.scan })
}
