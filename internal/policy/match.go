// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// cmdline returns a process's command line; false if it cannot be read.
type cmdline func() (string, bool)

// tasks is how many of a process's tasks must match where they differ.
type tasks bool

const (
	// anyTask: one is enough to be under a rule, so that no process leaves a rule
	// by what it does with one thread.
	anyTask tasks = false
	// allTasks: all of them, to be let out of a rule.
	allTasks tasks = true
)

// has reports whether a key is given.
func (m *Match) has(k Key) bool {
	switch k {
	case KeyUID:
		return len(m.UID) > 0
	case KeyMain:
		return m.Main != nil
	default:
		return len(m.Patterns[k]) > 0
	}
}

// inContainer reports whether only processes in containers are meant.
func (m *Match) inContainer() bool {
	return m.has(KeyContainer) || m.has(KeyNamespace) || m.has(KeyPod)
}

// level reports whether a process is meant, and which key decides that: the first
// one with the least level. A key that is not given holds.
func (m *Match) level(f *facts, of tasks, cmd cmdline) (least level, key Key) {
	least, key = yes, numKeys
	and := func(k Key, l level) {
		if l < least {
			least, key = l, k
		}
	}
	if m.has(KeyUID) {
		and(KeyUID, m.uidLevel(f, of))
	}
	if m.has(KeyMain) {
		and(KeyMain, m.mainLevel(f))
	}
	for k := KeyUnit; k < KeyCmdline && least > no; k++ {
		if m.has(k) {
			and(k, m.keyLevel(k, f))
		}
	}
	// It is read last, and only if it matters: that takes a system call.
	if m.has(KeyCmdline) && cmd != nil && least > no {
		l := unknown
		if text, ok := cmd(); ok {
			l = levelOf(matchAny(m.Patterns[KeyCmdline], text))
		}
		and(KeyCmdline, l)
	}
	return least, key
}

// keyLevel is the level of a key whose items are patterns, but KeyCmdline.
func (m *Match) keyLevel(k Key, f *facts) level {
	patterns := m.Patterns[k]
	switch k {
	case KeyUnit:
		return f.unitLevel(patterns)
	case KeyContainer, KeyNamespace, KeyPod:
		return f.named(patterns, k)
	case KeyExe:
		return m.ofExecutable(patterns, f.exe)
	case KeyAncestorExe:
		return level(f.ancestors[m.ancestry])
	case KeyComm:
		l := unknown
		if !f.ended || f.comm != (scan.Comm{}) {
			l = levelOf(matchAny(patterns, f.comm.String()))
		}
		return min(l, m.trusts(f.exe.origin))
	default: // every cgroup shows it
		if f.place == nowhere {
			return unknown
		}
		l := levelOf(matchAny(patterns, f.texts[k]))
		if k == KeyCgroup && f.below && l != matchBeginning(patterns, f.texts[k]+"/") {
			return unknown
		}
		return l
	}
}

func (m *Match) uidLevel(f *facts, of tasks) level {
	least, most := yes, no
	for uid := range f.eachUID {
		within := func(r UIDRange) bool { return r.First <= uid && uid <= r.Last }
		l := levelOf(slices.ContainsFunc(m.UID, within))
		if uid == scan.NoUser {
			l = unknown
		}
		least, most = min(least, l), max(most, l)
	}
	if of == allTasks {
		return least
	}
	return most
}

func (m *Match) mainLevel(f *facts) level {
	if f.main != yes && f.main != no {
		return f.main
	}
	return levelOf(*m.Main == (f.main == yes))
}

// unitLevel lets only patterns that begin with user@ match units that a user's
// manager made: users choose those units' names.
func (f *facts) unitLevel(patterns []Pattern) level {
	unit := f.texts[KeyUnit]
	if unit == "" {
		return f.otherwise()
	}
	users := strings.Contains(unit, "/")
	return levelOf(slices.ContainsFunc(patterns, func(p Pattern) bool {
		return (!users || strings.HasPrefix(p.prefix, "user@")) && p.Match(unit)
	}))
}

// otherwise is the level of what only a cgroup can show and this one does not.
func (f *facts) otherwise() level {
	if f.place == nowhere {
		return unknown
	}
	return no
}

// named is the level of a name that only processes in some place have. Not
// every container's name is known; what matches any text matches those, too.
func (f *facts) named(patterns []Pattern, k Key) level {
	name := f.texts[k]
	switch {
	case f.place < k.where():
		return f.otherwise()
	case matchAny(patterns, name):
		return yes
	case name == "" && !f.unnamed:
		return unknown
	default:
		return no
	}
}

// ofExecutable is the level of patterns for an executable.
func (m *Match) ofExecutable(patterns []Pattern, exe executable) level {
	trusted := m.trusts(exe.origin)
	switch {
	case trusted == no:
		return no
	case exe.cut:
		return min(matchBeginning(patterns, exe.path), trusted)
	case exe.path == "":
		return unknown
	default:
		return min(levelOf(matchAny(patterns, exe.path)), trusted)
	}
}

// trusts reports whether an executable of some origin is meant by its path: a file of the
// host, or of a container or unit if the match names it. What any user could have
// made is meant only where the match asks for no more.
func (m *Match) trusts(o scan.Origin) level {
	switch {
	case m.AnyMountNS || m.inContainer(), o == scan.OfHost, o == scan.OfImage && m.has(KeyUnit):
		return yes
	case o == scan.OriginUnknown:
		return likely
	default:
		return no
	}
}

// about reports whether a rule is about a process, given whether the process is
// exempt, and the time. If not, or if that is not known, why is which key decides.
func (r *Rule) about(f *facts, exempt level, cmd cmdline, at time.Time) (l level, w why) {
	l, w.key = r.Match.level(f, anyTask, cmd)
	if l == no {
		return no, w
	}
	if exempt == yes {
		return no, why{exempt: true}
	}
	except, key := no, numKeys
	for i := range r.Except {
		x := &r.Except[i]
		if x.Accept != nil && !x.Accept.InForce(at) {
			continue
		}
		e, k := x.level(f, allTasks, cmd)
		switch {
		case e == yes && x.Accept != nil:
			if w.accepted == nil || w.accepted.Until.Before(x.Accept.Until) {
				w.accepted = x.Accept
			}
		case e > except:
			except, key = e, k
		}
	}
	switch {
	case except == yes:
		return no, why{except: true}
	case except != no && l == yes:
		return likely, why{except: true, key: key, accepted: w.accepted}
	case exempt != no && l == yes:
		return likely, why{exempt: true, accepted: w.accepted}
	default:
		return l, w
	}
}

// why is what decides whether a rule is about a process.
type why struct {
	key            Key
	except, exempt bool
	// accepted is what accepts its violations, of the items of except; the last to end.
	accepted *Accept
}

// exemption reports whether a process is exempt from all rules.
func (c *Config) exemption(f *facts) level {
	most := no
	for i := range c.Exempt {
		l, _ := c.Exempt[i].level(f, allTasks, nil)
		most = max(most, l)
	}
	return most
}
