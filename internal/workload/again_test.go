// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// Snapshots that show the same as the last one are named as those that are read anew, whatever
// becomes of cgroups and of containers' logs meanwhile, and what was published stays as it was.
func TestAssignAgain(t *testing.T) {
	left := 0
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		v2, v1 := newTree(t), newTree(t)
		gone := v2.make("gone.service")
		pods := v2.make("kubepods/pod" + pod + "/" + id)
		plain := []scan.Process{in(v2.make("a.service"), "/a"), in(rootID, "/b")}
		ids := slices.Clone(plain)
		if rnd.IntN(3) > 0 {
			ids = append(ids, in(pods, "/nginx"))
		}
		if rnd.IntN(3) == 0 {
			if err := os.Remove(filepath.Join(v2.dir, "gone.service")); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, in(gone, "/gone"))
		}
		var of1 *tree
		old := "x0.service"
		if rnd.IntN(3) == 0 {
			of1 = &v1
			p := in(rootID, "/old")
			p.CgroupV1ID = v1.make(old)
			ids = append(ids, p)
		}
		kept, anew := newBench(t, &v2, of1), newBench(t, &v2, of1)
		anew.o.Logs, anew.o.PodLogs = kept.o.Logs, kept.o.PodLogs
		var last *scan.Snapshot
		var published []*scan.Snapshot
		var were [][]scan.Process
		for step := range 60 {
			pause := []time.Duration{0, time.Second, 3 * time.Second, time.Minute}[rnd.IntN(4)]
			kept.now, anew.now = kept.now.Add(pause), anew.now.Add(pause)
			switch rnd.IntN(12) {
			case 0:
				last = nil // somebody came, or went
				ids = append(ids, plain[rnd.IntN(2)])
			case 1:
				log := "web-1_shop_nginx-" + id + ".log"
				if err := os.WriteFile(filepath.Join(kept.logs, log), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			case 2:
				if of1 != nil {
					name := fmt.Sprintf("x%d.service", step)
					if err := os.Rename(filepath.Join(v1.dir, old), filepath.Join(v1.dir, name)); err != nil {
						t.Fatal(err)
					}
					old = name
				}
			}
			got, want := snapshot(ids...), snapshot(ids...)
			want.Conclude()
			if last != nil {
				got = last.Again()
			} else {
				got.Conclude()
			}
			scans := kept.scan
			kept.Assign(got)
			anew.Assign(want)
			if kept.scan == scans {
				left++
			}
			for i := range want.Processes {
				a, b := got.WorkloadOf(&got.Processes[i]), want.WorkloadOf(&want.Processes[i])
				if !reflect.DeepEqual(a, b) {
					t.Fatalf("seed %d, step %d, process %d: %+v, want %+v", seed, step, i, a, b)
				}
			}
			if !reflect.DeepEqual(got.Workloads, want.Workloads) || !reflect.DeepEqual(got.ByWorkload(), want.ByWorkload()) {
				t.Fatalf("seed %d, step %d: %+v, want %+v", seed, step, got.Workloads, want.Workloads)
			}
			last = got
			published, were = append(published, got), append(were, slices.Clone(got.Processes))
		}
		for i, s := range published {
			if !reflect.DeepEqual(s.Processes, were[i]) {
				t.Fatalf("seed %d: snapshot %d has changed since", seed, i)
			}
		}
	}
	t.Logf("%d of 1800 were left as they were", left)
	if left < 200 {
		t.Error("this says little")
	}
}
