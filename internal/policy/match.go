// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// cmdline returns a process's command line; false if it cannot be read.
type cmdline func() (string, bool)

// decision is the least level of some keys, and the first key that has it.
type decision struct {
	level level
	key   string
}

// and takes one more key, if that is given.
func (d *decision) and(given bool, key string, of func(*Match, *facts) level, m *Match, f *facts) {
	if !given || d.level == no {
		return
	}
	if l := of(m, f); l < d.level {
		*d = decision{l, key}
	}
}

// tasks is how many of a process's tasks must match where they differ.
type tasks bool

const (
	// anyTask: one is enough to be under a rule, so that no process leaves a rule
	// by what it does with one thread.
	anyTask tasks = false
	// allTasks: all of them, to be let out of a rule.
	allTasks tasks = true
)

// level reports whether a process is meant, and which key decides that: the first
// one with the least level. A key that is not given holds.
func (m *Match) level(f *facts, of tasks, cmd cmdline) (level, string) {
	d := decision{level: yes}
	uidLevel := (*Match).uidLevelOfAny
	if of == allTasks {
		uidLevel = (*Match).uidLevelOfAll
	}
	d.and(len(m.UID) > 0, "uid", uidLevel, m, f)
	d.and(m.Main != nil, "main", (*Match).mainLevel, m, f)
	d.and(len(m.Unit) > 0, "unit", (*Match).unitLevel, m, f)
	d.and(len(m.Slice) > 0, "slice", (*Match).sliceLevel, m, f)
	d.and(len(m.Container) > 0, "container", (*Match).containerLevel, m, f)
	d.and(len(m.Namespace) > 0, "namespace", (*Match).namespaceLevel, m, f)
	d.and(len(m.Pod) > 0, "pod", (*Match).podLevel, m, f)
	d.and(len(m.Cgroup) > 0, "cgroup", (*Match).cgroupLevel, m, f)
	d.and(len(m.Exe) > 0, "exe", (*Match).exeLevel, m, f)
	d.and(len(m.AncestorExe) > 0, "ancestor_exe", (*Match).ancestorLevel, m, f)
	d.and(len(m.Comm) > 0, "comm", (*Match).commLevel, m, f)
	// It is read last, and only if it matters: that takes a system call.
	if len(m.Cmdline) > 0 && cmd != nil && d.level > no {
		text, ok := cmd()
		switch {
		case !ok && d.level > unknown:
			d = decision{unknown, "cmdline"}
		case ok && !matchAny(m.Cmdline, text):
			d = decision{no, "cmdline"}
		}
	}
	return d.level, d.key
}

func (m *Match) uidLevelOfAny(f *facts) level {
	most := no
	for uid := range f.eachUID {
		most = max(most, m.uidLevel(uid))
	}
	return most
}

func (m *Match) uidLevelOfAll(f *facts) level {
	least := yes
	for uid := range f.eachUID {
		least = min(least, m.uidLevel(uid))
	}
	return least
}

// uidLevel is the level of one user ID.
func (m *Match) uidLevel(uid uint32) level {
	if uid == scan.NoUser {
		return unknown
	}
	return levelOf(m.hasUID(uid))
}

func (m *Match) hasUID(uid uint32) bool {
	return slices.ContainsFunc(m.UID, func(r UIDRange) bool { return r.First <= uid && uid <= r.Last })
}

func (m *Match) mainLevel(f *facts) level {
	if f.main != yes && f.main != no {
		return f.main
	}
	return levelOf(*m.Main == (f.main == yes))
}

// unitLevel lets only patterns that begin with user@ match units that a user's
// manager made: users choose those units' names.
func (m *Match) unitLevel(f *facts) level {
	if f.unit == "" {
		return f.otherwise()
	}
	users := strings.Contains(f.unit, "/")
	for i := range m.Unit {
		if p := &m.Unit[i]; (!users || strings.HasPrefix(p.prefix, "user@")) && p.Match(f.unit) {
			return yes
		}
	}
	return no
}

// otherwise is the level of what only a cgroup can show and this one does not.
func (f *facts) otherwise() level {
	if f.place == nowhere {
		return unknown
	}
	return no
}

// resolved is the level of what every cgroup shows.
func (f *facts) resolved(patterns []Pattern, text string) level {
	if f.place == nowhere {
		return unknown
	}
	return levelOf(matchAny(patterns, text))
}

func (m *Match) sliceLevel(f *facts) level  { return f.resolved(m.Slice, f.slice) }
func (m *Match) cgroupLevel(f *facts) level { return f.resolved(m.Cgroup, f.cgroup) }

func (m *Match) containerLevel(f *facts) level { return f.named(m.Container, f.container, inContainer) }
func (m *Match) namespaceLevel(f *facts) level { return f.named(m.Namespace, f.namespace, inPod) }
func (m *Match) podLevel(f *facts) level       { return f.named(m.Pod, f.pod, inPod) }

// named is the level of a name that only processes in some place have. Not
// every container's name is known; what matches any text matches those, too.
func (f *facts) named(patterns []Pattern, name string, least place) level {
	switch {
	case f.place < least:
		return f.otherwise()
	case matchAny(patterns, name):
		return yes
	case name == "" && !f.unnamed:
		return unknown
	default:
		return no
	}
}

func (m *Match) exeLevel(f *facts) level { return m.ofExecutable(m.Exe, f.exe) }

func (m *Match) ancestorLevel(f *facts) level { return level(f.ancestors[m.ancestry]) }

func (m *Match) commLevel(f *facts) level {
	return min(levelOf(matchAny(m.Comm, f.comm.String())), m.trusts(f.exe.origin))
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
	case m.AnyMountNS || m.inContainer(), o == scan.OfHost, o == scan.OfImage && len(m.Unit) > 0:
		return yes
	case o == scan.OriginUnknown:
		return likely
	default:
		return no
	}
}

// about reports whether a rule is about a process, given whether the process is
// exempt. If not, or if that is not known, why is which key decides.
func (r *Rule) about(f *facts, exempt level, cmd cmdline) (l level, w why) {
	l, w.key = r.Match.level(f, anyTask, cmd)
	if l == no {
		return no, w
	}
	if exempt == yes {
		return no, why{exempt: true}
	}
	except, key := no, ""
	for i := range r.Except {
		if e, k := r.Except[i].level(f, allTasks, cmd); e > except {
			except, key = e, k
		}
	}
	switch {
	case except == yes:
		return no, why{except: true}
	case except != no && l == yes:
		return likely, why{except: true, key: key}
	case exempt != no && l == yes:
		return likely, why{exempt: true}
	default:
		return l, w
	}
}

// why is what decides whether a rule is about a process.
type why struct {
	key            string
	except, exempt bool
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
