// SPDX-License-Identifier: Apache-2.0

package policy

import "cmp"

// Doubt is why it is not known whether a rule is about a process.
type Doubt uint8

const (
	// NoDoubt: it is known of all rules.
	NoDoubt Doubt = iota
	// DoubtCgroup: its cgroup is not known.
	DoubtCgroup
	// DoubtContainer: the name of its container is not known.
	DoubtContainer
	// DoubtExecutable: not all of the path of its executable is known.
	DoubtExecutable
	// DoubtParent: its parent, or that one's workload, is not known.
	DoubtParent
	// DoubtAncestors: not all of its ancestors, or of their executables, are known.
	DoubtAncestors
	// DoubtUser: its user is not known.
	DoubtUser
	// DoubtCmdline: its command line could not be read.
	DoubtCmdline
	numDoubts
)

// doubts are a name and words for each, by value. It is never written.
var doubts = [numDoubts]struct{ name, words string }{
	{},
	{"cgroup", "its cgroup is not known"},
	{"container_name", "the name of its container is not known"},
	{"executable", "the path of its executable is not known, or not all of it"},
	{"parent", "its parent, or the workload of one of them, is not known"},
	{"ancestors", "not all of its ancestors, or of their executables, are known"},
	{"user", "its user is not known"},
	{"command_line", "its command line could not be read"},
}

func (d Doubt) String() string { return doubts[d%numDoubts].name }

// Words returns it in words for people.
func (d Doubt) Words() string { return doubts[d%numDoubts].words }

// MarshalText encodes the word; empty for NoDoubt.
func (d Doubt) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Doubts returns every doubt but NoDoubt.
func Doubts() []Doubt {
	all := make([]Doubt, 0, numDoubts)
	for d := NoDoubt + 1; d < numDoubts; d++ {
		all = append(all, d)
	}
	return all
}

// doubt returns what stands behind a key whose level is unknown.
func (k Key) doubt(f *facts) Doubt {
	if f.place != nowhere && k.where() != nowhere {
		return DoubtContainer
	}
	return cmp.Or([numKeys]Doubt{
		KeyExe: DoubtExecutable, KeyAncestorExe: DoubtAncestors, KeyMain: DoubtParent,
		KeyUID: DoubtUser, KeyCmdline: DoubtCmdline,
	}[k%numKeys], DoubtCgroup)
}

// Undecided is the processes of which it is not known, for one reason, whether some
// rule is about them.
type Undecided struct {
	Doubt     Doubt
	Processes int
	// PIDs are the lowest of theirs, at most 8.
	PIDs []int32
}

// undecided adds up.
type undecided [numDoubts]Undecided

func (u *undecided) add(d Doubt, pid int32) {
	if d == NoDoubt {
		return
	}
	of := &u[d%numDoubts]
	of.Doubt = d
	if of.Processes++; len(of.PIDs) < maxPIDs {
		of.PIDs = append(of.PIDs, pid)
	}
}

// list returns those of which there are any.
func (u *undecided) list() []Undecided {
	var list []Undecided
	for i := range u {
		if u[i].Processes > 0 {
			list = append(list, u[i])
		}
	}
	return list
}
