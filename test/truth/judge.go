// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/scan"
)

// Verdict is what [Judge] says of one scan, or the sum over many.
type Verdict struct {
	Scans int
	// Observed counts the processes of the families, by family and state.
	Observed map[string]*[4]int
	// Changing counts those that are unknown because they changed.
	Changing int
	// Unmatched counts processes of the mixed family that have no record:
	// nothing is said of them.
	Unmatched int
	// Steady counts processes of the mixed family whose record leaves one
	// state only during the scan, by state: only there can a false statement be known
	// for one.
	Steady [4]int
	// False are the statements that were true at no instant of the scan.
	False []string
}

// Total is the number of observations.
func (v *Verdict) Total() int {
	n := 0
	for _, states := range v.Observed {
		for _, k := range states {
			n += k
		}
	}
	return n
}

// Add adds another verdict to v.
func (v *Verdict) Add(o Verdict) {
	v.Scans += o.Scans
	v.Changing += o.Changing
	v.Unmatched += o.Unmatched
	v.False = append(v.False, o.False...)
	for i := range v.Steady {
		v.Steady[i] += o.Steady[i]
	}
	for family, states := range o.Observed {
		for s, n := range states {
			v.observed(family)[s] += n
		}
	}
}

func (v *Verdict) observed(family string) *[4]int {
	if v.Observed == nil {
		v.Observed = map[string]*[4]int{}
	}
	if v.Observed[family] == nil {
		v.Observed[family] = new([4]int)
	}
	return v.Observed[family]
}

// Judge checks one scan of a [Churn] that lay between two instants ([Now]):
// each process of the family Always must be sandboxed, of Never unsandboxed,
// and of Mixed in a state that it was in at some instant. Unknown states
// nothing, so it is never false, but counted. It is a pure function.
func Judge(snap *scan.Snapshot, from, to uint64, lives map[int32][]Life) Verdict {
	v := Verdict{Scans: 1}
	for i := range snap.Processes {
		p := &snap.Processes[i]
		family := p.Comm.String()
		var can uint64 // the states that it can be in, a bit for each
		switch family {
		case Always:
			can = 1 << scan.Sandboxed
		case Never:
			can = 1 << scan.Unsandboxed
		case Mixed:
			can = possible(p, from, to, lives[p.PID])
		default:
			continue
		}
		v.observed(family)[p.State]++
		if family == Mixed {
			v.steady(can)
		}
		if p.State == scan.Unknown {
			if p.Reason == scan.Changing {
				v.Changing++
			}
			continue
		}
		if can == 0 {
			v.Unmatched++
			continue
		}
		if can&(1<<p.State) == 0 {
			v.False = append(v.False, fmt.Sprintf("process %d (%s, start %d, exec %d, %s): %s, but between %d and %d it was %s",
				p.PID, family, p.Start, p.Exec, count(int(p.NumTasks), "task"), p.State, from, to, words(can)))
		}
	}
	return v
}

func (v *Verdict) steady(can uint64) {
	for _, s := range scan.States() {
		if can == 1<<s {
			v.Steady[s]++
		}
	}
}

// possible returns the states that a process was in between two instants, as a
// set like Phase.Can; 0 if it has no record.
func possible(p *scan.Process, from, to uint64, lives []Life) uint64 {
	can := uint64(0)
	for _, l := range lives {
		// A PID may have been used before; a time of birth was not.
		if p.Start < l.BornFrom || p.Start > l.BornTo {
			continue
		}
		for _, ph := range l.Phases {
			if ph.From <= to && ph.To >= from {
				can |= ph.Can
			}
		}
	}
	return can
}

func words(can uint64) string {
	text := ""
	for _, s := range scan.States() {
		if can&(1<<s) == 0 {
			continue
		}
		if text != "" {
			text += " or "
		}
		text += s.String()
	}
	return text
}
