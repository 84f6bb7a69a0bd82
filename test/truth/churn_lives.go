// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"math"
	"sync/atomic"
)

// The layout of actor/lives.h.
const (
	livesMagic  = 0x6c69766573303031
	livesCount  = 16384
	phasesCount = 24
)

type phaseMemory struct{ Before, After, Can uint64 }

type lifeMemory struct {
	Generation, PID  uint64
	BornFrom, BornTo uint64
	NPhases          uint64
	Phase            [phasesCount]phaseMemory
	_                uint64 // the rest of its plan
	_                [2]int32
}

type livesMemory struct {
	Magic, LifeSize, Count, _ uint64
	Done                      struct {
		Processes, Execs, ThreadExecs, Vforks, Threads, ThreadExits, LeaderExits,
		Restricts, Transitions, CloneParents uint64
	}
	Life [livesCount]lifeMemory
}

// Life is the record of one process, from clone to exit.
type Life struct {
	PID int32
	// It was created between these two, in nanoseconds since boot.
	BornFrom, BornTo uint64
	Phases           []Phase
}

// Phase is a time during which a process had one state. Where the change from
// one to the next happened is known within bounds only, so phases overlap.
type Phase struct {
	// From is when it began at the earliest, To when it ended at the latest.
	From, To uint64
	// Can is the set of states: bit n for the [scan.State] with number n.
	Can uint64
}

// Lives returns the records of all processes with a PID for which want is true.
// Read them after a scan: what had happened when it ended is then in them.
func (c *Churn) Lives(want func(pid int32) bool) map[int32][]Life {
	lives := map[int32][]Life{}
	for i := range c.m.Life {
		m := &c.m.Life[i]
		pid := int32(atomic.LoadUint64(&m.PID))
		if pid == 0 || !want(pid) {
			continue
		}
		if l, ok := m.read(); ok {
			lives[l.PID] = append(lives[l.PID], l)
		}
	}
	return lives
}

// read copies a record, or reports that it was being used anew meanwhile.
func (m *lifeMemory) read() (Life, bool) {
	gen := atomic.LoadUint64(&m.Generation)
	n := min(atomic.LoadUint64(&m.NPhases), phasesCount)
	l := Life{
		PID:      int32(atomic.LoadUint64(&m.PID)),
		BornFrom: atomic.LoadUint64(&m.BornFrom), BornTo: atomic.LoadUint64(&m.BornTo),
		Phases: make([]Phase, n),
	}
	if l.BornTo == 0 {
		l.BornTo = math.MaxUint64
	}
	for i := range l.Phases {
		p := &m.Phase[i]
		l.Phases[i] = Phase{From: atomic.LoadUint64(&p.Before), To: math.MaxUint64, Can: atomic.LoadUint64(&p.Can)}
		if after := atomic.LoadUint64(&p.After); i > 0 && after != 0 {
			l.Phases[i-1].To = after
		}
	}
	return l, gen%2 == 0 && l.PID != 0 && atomic.LoadUint64(&m.Generation) == gen
}
