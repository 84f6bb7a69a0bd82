// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

const (
	seeds         = 50
	leastProcs    = 2000
	mostPerForest = 10 // mismatches printed
)

// TestForest compares scans of each of 50 random forests with its truth: with
// the kernel's IDs, where it has them, and with derived ones.
// A seed that fails is replayed by -run TestForest -truth.seed=N.
func TestForest(t *testing.T) {
	sources := []scan.Source{source(t, taskiter.Options{}), source(t, taskiter.Options{DeriveIDs: true})}
	total := forestTotals{ops: map[string]int{}}
	first, last := uint64(1), uint64(seeds)
	if *seedFlag != 0 {
		first, last = *seedFlag, *seedFlag
	}
	for seed := first; seed <= last; seed++ {
		if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { total.one(t, sources, seed) }) {
			t.Logf("replay: go test ./test/truth -run TestForest -truth.seed=%d", seed)
		}
	}
	t.Log(total.String())
	if *seedFlag != 0 {
		return
	}
	if total.processes < leastProcs {
		t.Errorf("%d live processes in all forests, want at least %d", total.processes, leastProcs)
	}
	for _, kind := range slices.Sorted(maps.Keys(total.ops)) {
		if total.ops[kind] == 0 && possibleHere(kind, total.last) {
			t.Errorf("no forest had the operation %s", kind)
		}
	}
	if total.mismatches == 0 && total.partial == 0 {
		t.Error("no forest had a partial process")
	}
}

type forestTotals struct {
	processes, tasks, partial, zombieLeaders, gone, layers, mismatches int

	ops  map[string]int
	last *Truth
}

func (total *forestTotals) one(t *testing.T, sources []scan.Source, seed uint64) {
	f, err := Start(t.Context(), actor(t), Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	mismatches := 0
	for _, src := range sources {
		snap, err := src.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := Compare(snap, f.Truth, Config{})
		for i, m := range found {
			if i == mostPerForest {
				t.Errorf("and %d more", len(found)-i)
				break
			}
			t.Errorf("with %s IDs: %v", snap.Source.IDs, m)
		}
		mismatches += len(found)
	}
	total.add(f.Truth, mismatches)
}

func (total *forestTotals) add(truth *Truth, mismatches int) {
	total.last = truth
	total.mismatches += mismatches
	total.processes += len(truth.Processes)
	total.tasks += truth.Tasks()
	total.gone += len(truth.Gone)
	total.layers += len(truth.Layers)
	for k, n := range truth.Ops {
		total.ops[k] += n
	}
	for _, p := range truth.Processes {
		if p.ZombieLeader {
			total.zombieLeaders++
		}
		in := 0
		for _, task := range p.Tasks {
			in += min(len(task.Layers), 1)
		}
		if in > 0 && in < len(p.Tasks) {
			total.partial++
		}
	}
}

func (total *forestTotals) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d live processes (%d partial, %d with a zombie leader) with %d threads, %d ended processes, %d domains made: %d mismatches",
		total.processes, total.partial, total.zombieLeaders, total.tasks, total.gone, total.layers, total.mismatches)
	for _, kind := range slices.Sorted(maps.Keys(total.ops)) {
		fmt.Fprintf(&b, "\n%8d %s", total.ops[kind], kind)
	}
	return b.String()
}

// possibleHere says whether this kernel and this user can do an operation at all.
func possibleHere(kind string, truth *Truth) bool {
	switch kind {
	case "mask_net", "mask_mixed":
		return truth.ABI >= 4
	case "mask_scope":
		return truth.ABI >= 6
	case "restrict_beyond_limit":
		return truth.ABI >= 2
	case "setresuid", "restrict_with_capability":
		return os.Geteuid() == 0
	case "user_namespace":
		return os.Geteuid() == 0 // others may be forbidden to
	default:
		return truth.ABI >= 1 || !strings.HasPrefix(kind, "restrict") && !strings.HasPrefix(kind, "mask")
	}
}
