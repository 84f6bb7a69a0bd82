// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// leastProcs is how many processes a forest has at least, on average.
const leastProcs = 40

// TestForest compares scans of random forests with what is true of them: with
// the kernel's IDs, where it has them, and with derived ones. -truth.seeds=N says
// how many; a seed that fails is replayed by -run TestForest -truth.seed=N.
func TestForest(t *testing.T) {
	sources := []scan.Source{source(t, taskiter.Options{}), source(t, taskiter.Options{DeriveIDs: true})}
	total := forestTotals{ops: map[string]int{}}
	first, last := uint64(1), *seedsFlag
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
	if least := leastProcs * int(last); total.processes < least {
		t.Errorf("%d live processes in all forests, want at least %d", total.processes, least)
	}
	if total.last.ABI > 0 && (total.denied == 0 || total.granted == 0) {
		t.Errorf("%d rights were denied, and %d handled and granted: nothing could be wrong", total.denied, total.granted)
	}
	if total.last.Rings && (total.outside == 0 || total.outside == total.workers) {
		t.Errorf("%d of %d workers are outside: nothing could be wrong", total.outside, total.workers)
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

	// workers, and those of them that are outside; usersDiffer and hardeningDiffers
	// are processes whose threads are not alike.
	workers, outside, usersDiffer, hardeningDiffers int
	// Of the rights that tasks tried: denied, and granted though a layer handles them.
	denied, granted int

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
		Fail(t.Errorf, "with "+snap.Source.IDs+" IDs", found)
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
		total.threads(truth, &p)
		in := 0
		for _, task := range p.Tasks {
			in += min(len(task.Layers), 1)
		}
		if in > 0 && in < len(p.Tasks) {
			total.partial++
		}
	}
}

func (total *forestTotals) threads(truth *Truth, p *Process) {
	users, hardening := map[uint32]bool{}, map[scan.Hardening]bool{}
	for i := range p.Tasks {
		task := &p.Tasks[i]
		users[task.UID], hardening[task.hardening()] = true, true
		handled := uint32(0)
		for _, l := range task.Layers {
			handled |= truth.Layers[l-1][access.FS]
		}
		total.denied += bits.OnesCount32(task.Denied)
		total.granted += bits.OnesCount32(handled & task.Tried &^ task.Denied)
	}
	total.usersDiffer += min(len(users)-1, 1)
	total.hardeningDiffers += min(len(hardening)-1, 1)
	total.workers += len(p.Workers)
	for i := range p.Workers {
		if p.outside(&p.Workers[i]) {
			total.outside++
		}
	}
}

func (total *forestTotals) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d live processes (%d partial, %d with a zombie leader) with %d threads, %d ended processes, %d domains made: %d mismatches",
		total.processes, total.partial, total.zombieLeaders, total.tasks, total.gone, total.layers, total.mismatches)
	fmt.Fprintf(&b, "\nthreads of %d processes differ in user, of %d in hardening; %d workers, %d outside; %d rights denied, %d handled and granted",
		total.usersDiffer, total.hardeningDiffers, total.workers, total.outside, total.denied, total.granted)
	for _, kind := range slices.Sorted(maps.Keys(total.ops)) {
		fmt.Fprintf(&b, "\n%8d %s", total.ops[kind], kind)
	}
	return b.String()
}

// possibleHere reports whether this kernel and this user can do an operation at all.
func possibleHere(kind string, truth *Truth) bool {
	switch kind {
	case "mask_net", "mask_mixed":
		return truth.ABI >= 4
	case "mask_scope":
		return truth.ABI >= 6
	case "restrict_beyond_limit":
		return truth.ABI >= 2
	case "ring":
		return truth.Rings
	case "ring_after_restrict", "restrict_after_ring":
		return truth.Rings && truth.ABI >= 1
	case "setresuid", "setresuid_of_thread", "restrict_with_capability":
		return os.Geteuid() == 0
	case "user_namespace", "mount_namespace", "bind_mount", "root", "root_deep", "root_of_thread", "root_mounted",
		"rule_in_slot_after_root":
		return os.Geteuid() == 0 // others may be forbidden to
	default:
		return truth.ABI >= 1 || !strings.HasPrefix(kind, "restrict") && !strings.HasPrefix(kind, "mask") && !strings.HasPrefix(kind, "rule")
	}
}
