// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// ancestors finds out which matches are about the executable of some ancestor of
// each process. It keeps what it found of executables, so that it takes no memory
// for a snapshot like the last one.
type ancestors struct {
	matches []*Match // those that look at ancestors, by Match.ancestry
	// words are levels, one byte for each match; each word once.
	words []string
	at    map[string]int32
	// ofExe is the word of an executable, and most that of the greater levels of two.
	ofExe map[executable]int32
	most  map[[2]int32]int32
	above []int32 // by process, the word of its ancestors; -1 as long as not known
	way   []int32
	text  []byte
}

// executable is what a match looks at.
type executable struct {
	path   string
	cut    bool
	origin scan.Origin
}

func executableOf(p *scan.Process) executable { return executable{p.Exe, p.ExeCut, p.ExeOrigin} }

func newAncestors(matches []*Match) ancestors {
	a := ancestors{matches: matches}
	a.forget()
	return a
}

func (a *ancestors) forget() {
	a.words, a.at = nil, map[string]int32{}
	a.ofExe, a.most = map[executable]int32{}, map[[2]int32]int32{}
}

// begin starts a snapshot.
func (a *ancestors) begin(s *scan.Snapshot) {
	if len(a.matches) == 0 {
		return
	}
	if len(a.words)+len(a.ofExe)+len(a.most) > 2*len(s.Processes)+slack {
		a.forget()
	}
	a.above = a.above[:0]
	for range s.Processes {
		a.above = append(a.above, -1)
	}
}

// of returns the levels of the ancestors of the process in a place; empty if no
// match looks at them.
func (a *ancestors) of(s *scan.Snapshot, place int) string {
	if len(a.matches) == 0 {
		return ""
	}
	a.way = a.way[:0]
	at := int32(place)
	for a.above[at] < 0 {
		// If it comes here again, nobody is known to be above anybody.
		a.above[at] = a.all(unknown)
		p := &s.Processes[at]
		parent, known := parentOf(s, p)
		if parent < 0 {
			if known && (p.PPID != 0 || s.Source.PIDNS != "nested") {
				a.above[at] = a.all(no)
			}
			break
		}
		a.way = append(a.way, at)
		at = int32(parent)
	}
	for _, child := range slices.Backward(a.way) {
		a.above[child] = a.mostOf(a.above[at], a.own(&s.Processes[at]))
		at = child
	}
	return a.words[a.above[place]]
}

// own returns the word of a process's own executable.
func (a *ancestors) own(p *scan.Process) int32 {
	exe := executableOf(p)
	word, found := a.ofExe[exe]
	if !found {
		word = a.intern(func(i int) level {
			return a.matches[i].ofExecutable(a.matches[i].Patterns[KeyAncestorExe], exe)
		})
		a.ofExe[exe] = word
	}
	return word
}

// mostOf returns the word of the greater levels of two.
func (a *ancestors) mostOf(x, y int32) int32 {
	if x == y {
		return x
	}
	word, found := a.most[[2]int32{x, y}]
	if !found {
		word = a.intern(func(i int) level { return level(max(a.words[x][i], a.words[y][i])) })
		a.most[[2]int32{x, y}] = word
	}
	return word
}

// all returns the word of one level for all.
func (a *ancestors) all(l level) int32 {
	return a.intern(func(int) level { return l })
}

// intern returns the number of the word that has some levels, by match.
func (a *ancestors) intern(of func(match int) level) int32 {
	a.text = a.text[:0]
	for i := range a.matches {
		a.text = append(a.text, byte(of(i)))
	}
	word, found := a.at[string(a.text)]
	if !found {
		word = int32(len(a.words))
		a.words = append(a.words, string(a.text))
		a.at[a.words[word]] = word
	}
	return word
}

// parentOf returns the place of a process's parent, -1 if it is not in the snapshot;
// known reports whether it is known who that is. What the kernel starts is the child
// of its thread 2, which no snapshot has; and some hosts show nobody their first
// process.
func parentOf(s *scan.Snapshot, p *scan.Process) (place int, known bool) {
	switch place = s.Index(p.PPID); {
	case place < 0:
		return -1, p.PPID >= 0 && p.PPID <= 2
	case s.Processes[place].Start > p.Start:
		// A parent that is younger than its child is another process by now.
		return -1, false
	default:
		return place, true
	}
}
