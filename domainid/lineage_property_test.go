// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// host is a model of processes whose lineage is known. Threads are slices of
// domains; element 0 is the leader's. A domain is None for none.
type host struct {
	rnd       *rand.Rand
	processes map[int32]*simProcess
	parent    map[ID]ID // the truth
	next      ID
	clock     uint64
}

type simProcess struct {
	start   uint64
	threads []ID
}

func newHost(seed uint64) *host {
	h := &host{rnd: rand.New(rand.NewPCG(seed, 7)), processes: map[int32]*simProcess{}, parent: map[ID]ID{}}
	h.processes[1] = &simProcess{threads: []ID{None}}
	return h
}

func (h *host) depth(d ID) int {
	n := 0
	for ; d != None; d = h.parent[d] {
		n++
	}
	return n
}

func (h *host) nested(inner, outer ID) bool {
	for d := h.parent[inner]; d != None; d = h.parent[d] {
		if d == outer {
			return true
		}
	}
	return false
}

// step does one thing that a task can do.
func (h *host) step() {
	pid := int32(h.rnd.IntN(24) + 1)
	p := h.processes[pid]
	if p == nil {
		return
	}
	t := h.rnd.IntN(len(p.threads))
	switch h.rnd.IntN(10) {
	case 0, 1: // fork, into a PID that may have been another's
		child := int32(h.rnd.IntN(24) + 1)
		if h.processes[child] == nil {
			h.clock++
			h.processes[child] = &simProcess{start: h.clock, threads: []ID{p.threads[t]}}
		}
	case 2, 3: // landlock_restrict_self(2)
		if d, ok := h.restrict(p.threads[t]); ok {
			p.threads[t] = d
		}
	case 4: // the same for every thread (TSYNC), which get one domain
		if d, ok := h.restrict(p.threads[t]); ok {
			for i := range p.threads {
				p.threads[i] = d
			}
		}
	case 5: // the same for every thread one by one
		for i, old := range p.threads {
			if d, ok := h.restrict(old); ok {
				p.threads[i] = d
			}
		}
	case 6: // a thread
		if len(p.threads) < 4 {
			p.threads = append(p.threads, p.threads[t])
		}
	case 7: // a thread ends
		if t > 0 {
			p.threads = append(p.threads[:t], p.threads[t+1:]...)
		}
	case 8: // execve(2) from any thread, which takes the leader's place
		p.threads = []ID{p.threads[t]}
	case 9:
		if pid != 1 && h.rnd.IntN(2) == 0 {
			delete(h.processes, pid)
		}
	}
}

func (h *host) restrict(old ID) (ID, bool) {
	if h.depth(old) >= 16 {
		return None, false
	}
	h.next++
	h.parent[h.next] = old
	return h.next, true
}

// report makes one scan, in which a few processes could not be read in whole.
func (h *host) report(in *Inference) {
	in.Begin()
	for pid, p := range h.processes {
		seen := append([]ID(nil), p.threads...)
		together := true
		for _, d := range seen {
			together = together && d == seen[0]
		}
		switch h.rnd.IntN(12) {
		case 0:
			seen, together = nil, false
		case 1:
			seen, together = seen[:1], together && len(seen) == 1
		}
		in.Process(pid, p.start, seen, together)
	}
	in.End()
}

// Whatever processes do: what is concluded is true, and no depth is too high.
func TestInferenceIsTrue(t *testing.T) {
	for _, steps := range []int{1, 5, 40} { // between two scans
		t.Run(fmt.Sprintf("%d steps a scan", steps), func(t *testing.T) {
			var relations, depths, exact, most int
			for seed := range uint64(60) {
				h, in := newHost(seed), NewInference()
				for range 400 {
					for range steps {
						h.step()
					}
					h.report(in)
					live := map[ID]bool{}
					for _, p := range h.processes {
						for _, d := range p.threads {
							for ; d != None; d = h.parent[d] {
								live[d] = true
							}
						}
					}
					if len(in.domains) > len(live) || len(in.processes) > len(h.processes) {
						t.Fatalf("seed %d: holds %d domains and %d processes of %d and %d", seed, len(in.domains), len(in.processes), len(live), len(h.processes))
					}
					for d := range in.domains {
						if p := in.Parent(d); p != None {
							relations++
							if !h.nested(d, p) {
								t.Fatalf("seed %d: %v is not nested in %v", seed, d, p)
							}
						}
						got, want := in.Depth(d), h.depth(d)
						if got > want {
							t.Fatalf("seed %d: depth of %v is %d, inferred %d", seed, d, want, got)
						}
						depths++
						if got == want {
							exact++
						}
						most = max(most, got)
					}
				}
				if in.Conflicts() != 0 {
					t.Fatalf("seed %d: %d conflicts", seed, in.Conflicts())
				}
			}
			if relations == 0 {
				t.Fatal("nothing was concluded")
			}
			t.Logf("%d conclusions, all true; the inferred depth is the true one for %d of %d (%.0f %%), at most %d",
				relations, exact, depths, 100*float64(exact)/float64(depths), most)
		})
	}
}

// Any input is survived, and makes no lineage longer than a kernel's.
func FuzzInference(f *testing.F) {
	f.Add([]byte{1, 1, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := NewInference()
		for len(b) >= 3 {
			in.Begin()
			for len(b) >= 3 && b[0] != 0xff {
				in.Process(int32(b[0]%4), uint64(b[0]>>4), []ID{ID(b[1] % 32), ID(b[2] % 32)}, b[2]&0x80 != 0)
				b = b[3:]
			}
			if len(b) > 0 {
				b = b[1:]
			}
			in.End()
			for d := range in.domains {
				if n := in.Depth(d); n < 1 || n > maxNesting || in.within(in.Parent(d), d) {
					t.Fatalf("depth %d of %v, parent %v", n, d, in.Parent(d))
				}
			}
		}
	})
}
