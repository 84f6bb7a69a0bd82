// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// The model of one process that does its worst while it is read, in steps of
// which each is one instant of the kernel's:
//
//   - clone: the new thread, counted and listed at once (tasklist_lock);
//   - exit: a thread runs no more (exit_notify()), and is released later, in one
//     instant uncounted and unlisted; a leader last of all;
//   - execve(2): the other threads exit and are released; the one that executes
//     takes the leader's place, TID and struct pid (de_thread());
//   - landlock_restrict_self(2), for one thread or for all (TSYNC).
//
// Reading a list takes many instants, and ends early where the thread at hand is
// released (next_tid()).
type model struct {
	rnd     *rand.Rand
	threads []*modelThread // attached ones; the leader stands first
	parent  []int          // of domain i; 0 is none
	nextTID int32
	nextIno uint64
	mm      uint64
	aslr    bool
	execer  *modelThread
	hurry   int // steps between two instants of the reader, at most
	rarely  int // how rarely a thread restricts itself

	// What was true at some instant of this scan.
	seen     map[verdict]bool
	together []bool // by domain: all live threads in it or nested in it
}

type modelThread struct {
	tid      int32
	ino      uint64
	domain   int
	dead     bool
	worker   bool
	released bool
}

const modelPID = 100

func newModel(rnd *rand.Rand, aslr bool) *model {
	m := &model{rnd: rnd, parent: []int{0}, nextTID: modelPID + 1, nextIno: 2, aslr: aslr, hurry: 1 + rnd.IntN(5), rarely: 1 << rnd.IntN(7)}
	m.threads = []*modelThread{{tid: modelPID, ino: 1}}
	m.begin()
	return m
}

func (m *model) begin() {
	m.seen = map[verdict]bool{}
	m.together = make([]bool, 400)
	m.note()
}

func (m *model) nested(d, outer int) bool {
	for ; d != 0; d = m.parent[d] {
		if d == outer {
			return true
		}
	}
	return false
}

func (m *model) note() {
	var in, out int
	for _, t := range m.threads {
		switch {
		case t.dead || t.worker:
		case t.domain != 0:
			in++
		default:
			out++
		}
	}
	switch {
	case in == 0 && out == 0:
		m.seen[outside] = true
	case out == 0:
		m.seen[sandboxed] = true
		for d := 1; d < len(m.parent); d++ {
			all := true
			for _, t := range m.threads {
				all = all && (t.dead || t.worker || m.nested(t.domain, d))
			}
			m.together[d] = m.together[d] || all
		}
	case in == 0:
		m.seen[unsandboxed] = true
	default:
		m.seen[partial] = true
	}
}

func (m *model) restrict(t *modelThread) int {
	if len(m.parent) >= 390 {
		return t.domain
	}
	m.parent = append(m.parent, t.domain)
	return len(m.parent) - 1
}

// step does one thing, or nothing.
func (m *model) step() {
	defer m.note()
	if len(m.threads) == 0 {
		return
	}
	t := m.threads[m.rnd.IntN(len(m.threads))]
	leader := m.threads[0].tid == modelPID && m.threads[0] == t
	if m.execer != nil {
		m.stepExec(t, leader)
		return
	}
	switch m.rnd.IntN(11) {
	case 0, 1:
		if !t.dead && !t.worker && len(m.threads) < 4 {
			m.threads = append(m.threads, &modelThread{tid: m.nextTID, ino: m.nextIno, domain: t.domain, worker: m.rnd.IntN(8) == 0})
			m.nextTID++
			m.nextIno++
		}
	case 2, 3, 4:
		if !t.dead && !t.worker && m.rnd.IntN(m.rarely) == 0 {
			t.domain = m.restrict(t)
		}
	case 5:
		if !t.dead && !t.worker && m.rnd.IntN(m.rarely) == 0 {
			d := m.restrict(t)
			for _, o := range m.threads {
				if !o.worker && !o.dead {
					o.domain = d
				}
			}
		}
	case 6:
		t.dead = t.dead || len(m.threads) > 1 || m.rnd.IntN(50) == 0
	case 7, 8:
		m.release(t, leader)
	case 9, 10:
		if !t.dead && !t.worker {
			m.execer = t
		}
	}
}

func (m *model) release(t *modelThread, leader bool) {
	if t.dead && (!leader || len(m.threads) == 1) {
		t.released = true
		i := slices.Index(m.threads, t)
		m.threads = slices.Delete(m.threads, i, i+1)
	}
}

func (m *model) stepExec(t *modelThread, leader bool) {
	x := m.execer
	switch {
	case t != x:
		if !t.dead {
			t.dead = true
			return
		}
		if !leader {
			m.release(t, false)
			return
		}
	}
	switch len(m.threads) {
	case 1:
	case 2:
		old := m.threads[0]
		if old == x || !old.dead {
			return
		}
		old.released = true
		x.tid, x.ino = old.tid, old.ino
		m.threads = []*modelThread{x}
	default:
		return
	}
	m.execer = nil
	if m.aslr {
		m.mm++
	}
}

func (m *model) pause() {
	for range m.rnd.IntN(m.hurry) {
		m.step()
	}
}

// modelView lets the model go on before every read.
type modelView struct {
	m   *model
	ids bool
	// deny makes some threads unreadable, for good.
	deny    bool
	entries []dirEntry
}

func (v *modelView) stat(s *stat) outcome {
	v.m.pause()
	if len(v.m.threads) == 0 {
		return gone
	}
	*s = stat{State: 'S', Threads: int32(len(v.m.threads)), Start: 5, MM: procdir.MMMarks{StartStack: v.m.mm}}
	if v.m.threads[0].dead {
		s.State = 'Z'
	}
	return found
}

func (v *modelView) list() ([]dirEntry, outcome) {
	v.m.pause()
	v.entries = v.entries[:0]
	if len(v.m.threads) == 0 {
		return nil, gone
	}
	for t := v.m.threads[0]; ; {
		v.entries = append(v.entries, dirEntry{t.tid, t.ino})
		v.m.pause()
		if t.released {
			break
		}
		i := slices.Index(v.m.threads, t) + 1
		if i == len(v.m.threads) {
			break
		}
		t = v.m.threads[i]
	}
	return v.entries, found
}

func (v *modelView) find(tid int32) *modelThread {
	v.m.pause()
	for _, t := range v.m.threads {
		if t.tid == tid {
			return t
		}
	}
	return nil
}

func (v *modelView) attribute(tid int32) (answer, outcome) {
	if tid == 0 {
		tid = modelPID
	}
	t := v.find(tid)
	switch {
	case t == nil:
		return answer{}, gone
	case v.deny && tid%3 == 0:
		return answer{reason: scan.Denied}, found
	case t.domain == 0:
		return answerOut, found
	case v.ids:
		return answer{state: scan.Sandboxed, id: domainid.ID(t.domain)}, found
	default:
		return answerIn, found
	}
}

func (v *modelView) thread(tid int32, s *stat) outcome {
	t := v.find(tid)
	if t == nil {
		return gone
	}
	*s = stat{State: 'S', Threads: 1, Start: 5}
	if t.dead {
		s.State = 'Z'
	}
	if t.worker {
		s.Flags = pfIOWorker
	}
	return found
}

// Every verdict was true at some instant of its scan, whatever the process does
// between any two reads.
func TestSettleIsTrue(t *testing.T) {
	runs := 60_000
	if testing.Short() {
		runs = 10_000
	}
	for _, mode := range []struct {
		name            string
		ids, aslr, deny bool
	}{
		{"IDs", true, false, false},
		{"IDs, some denied", true, false, true},
		{"no IDs", false, true, false},
	} {
		t.Run(mode.name, func(t *testing.T) {
			counts := map[verdict]int{}
			tries, together := 0, 0
			for seed := range uint64(runs) {
				m := newModel(rand.New(rand.NewPCG(seed, 3)), mode.aslr)
				v := &modelView{m: m, ids: mode.ids, deny: mode.deny}
				s := settler{ids: mode.ids}
				var f facts
				for range m.rnd.IntN(40) {
					m.step()
				}
				for range 3 {
					for range m.rnd.IntN(10) {
						m.step()
					}
					m.begin()
					r := s.settle(v, modelPID, &f)
					if err := judgeModel(m, &s, r, mode.deny); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					counts[r.verdict]++
					tries += r.tries
					if r.together {
						together++
					}
					f.learn(r, &s)
				}
			}
			t.Logf("%d scans: sandboxed %d (%d in one domain), partial %d, unsandboxed %d, outside %d, unknown %d; %.2f tries",
				3*runs, counts[sandboxed], together, counts[partial], counts[unsandboxed], counts[outside], counts[unknown],
				float64(tries)/float64(3*runs))
			for _, v := range []verdict{sandboxed, partial, unsandboxed, unknown} {
				if counts[v] == 0 {
					t.Errorf("verdict %d was never reached", v)
				}
			}
		})
	}
}

func judgeModel(m *model, s *settler, r finding, deny bool) error {
	switch r.verdict {
	case unknown:
		if !deny && r.reason != scan.Changing {
			return fmt.Errorf("unknown, reason %v", r.reason)
		}
		return nil
	case unread, failed, unsettled:
		return fmt.Errorf("verdict %d", r.verdict)
	}
	if !m.seen[r.verdict] {
		return fmt.Errorf("verdict %d was never true; these were: %v", r.verdict, m.seen)
	}
	if r.together && s.ids {
		d := 0
		for _, t := range s.threads {
			if t.counts() {
				d = int(t.answer.id)
				break
			}
		}
		if !m.together[d] {
			return fmt.Errorf("at no instant were all threads in domain %d", d)
		}
	}
	return nil
}

// A process that stands still is settled at once.
func TestSettleStill(t *testing.T) {
	for seed := range uint64(2000) {
		m := newModel(rand.New(rand.NewPCG(seed, 9)), false)
		for range m.rnd.IntN(60) {
			m.step()
		}
		m.hurry = 1
		m.begin()
		s := settler{ids: true}
		r := s.settle(&modelView{m: m, ids: true}, modelPID, &facts{})
		if r.verdict == unknown && slices.ContainsFunc(m.threads, func(t *modelThread) bool { return t.dead && t.tid != modelPID }) {
			continue // only the next try tells apart what has exited
		}
		if !m.seen[r.verdict] {
			t.Fatalf("seed %d: verdict %d after %d tries, true: %v", seed, r.verdict, r.tries, m.seen)
		}
	}
}
