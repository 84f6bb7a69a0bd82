// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// life is a process whose threads restrict themselves, clone, end and execute at
// random: in each moment the domain of each thread, or -1.
type life struct {
	host
	rng     *rand.Rand
	threads []int32
}

// inside returns the domains that are nested in one directly, or the outermost ones.
func (l *life) inside(domain int32) (nested []int32) {
	for i := range l.Domains {
		if l.Domains[i].Parent == domain {
			nested = append(nested, int32(i))
		}
	}
	return nested
}

func (l *life) step() {
	at := l.rng.IntN(len(l.threads))
	switch l.rng.IntN(7) {
	case 0:
		l.threads = append(l.threads, l.threads[at])
	case 1:
		if len(l.threads) > 1 {
			l.threads = slices.Delete(l.threads, at, at+1)
		}
	case 2:
		l.threads = []int32{l.threads[at]} // execve(2)
	default:
		if nested := l.inside(l.threads[at]); len(nested) > 0 {
			l.threads[at] = nested[l.rng.IntN(len(nested))]
		}
	}
}

// A process that violates for a lasting reason was never as expected, whatever its
// threads did; for other reasons, and where free threads are allowed, it may have been.
func TestLasting(t *testing.T) {
	files, ports := access.Rights{access.FS: 1 << 1}, access.Rights{access.Net: 3}
	met := map[Reason]int{}
	once := map[Reason]int{} // was as expected before
	for seed := range uint64(4000) {
		l := life{host: newHost(), rng: rand.New(rand.NewPCG(seed, 13)), threads: []int32{-1}}
		for range 6 {
			parent := l.rng.Int32N(int32(len(l.Domains)+1)) - 1
			l.domain(parent, []access.Rights{files, ports}[l.rng.IntN(2)])
		}
		if l.rng.IntN(4) == 0 { // its parent is in one
			l.threads[0] = l.rng.Int32N(int32(len(l.Domains)))
		}
		x := Expect{Partial: l.rng.IntN(2) == 0, MinDepth: l.rng.IntN(4)}
		if l.rng.IntN(4) == 0 {
			x.MaxDepth = max(1, x.MinDepth+l.rng.IntN(2))
		}
		if l.rng.IntN(8) == 0 {
			x = Expect{Free: true}
		} else if l.rng.IntN(2) == 0 {
			x.Restricts = []string{"fs.write_file"}
		}
		complied := false
		for range 12 {
			result, reason, _ := x.Judge(l.Snapshot, l.process(-1, "", l.threads...))
			switch {
			case result == Compliant:
				complied = true
			case result != Violating:
				t.Fatalf("seed %d: %v: %s", seed, l.threads, result)
			case x.Lasting(reason):
				if met[reason]++; complied {
					t.Fatalf("seed %d: %+v: %v is %s, but was as expected", seed, x, l.threads, reason)
				}
			case complied:
				once[reason]++
			}
			l.step()
		}
	}
	for _, reason := range []Reason{Unsandboxed, Partial, TooShallow} {
		if met[reason] == 0 {
			t.Errorf("%s never lasted", reason)
		}
	}
	for _, reason := range []Reason{Unsandboxed, TooShallow} {
		if once[reason] == 0 {
			t.Errorf("nothing was as expected before it was %s, where free threads are allowed", reason)
		}
	}
	for _, reason := range []Reason{TooDeep, Sandboxed} {
		if once[reason] == 0 {
			t.Errorf("nothing was as expected before it was %s", reason)
		}
	}
}
