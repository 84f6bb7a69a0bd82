// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// byName are the counts of workloads: "unsandboxed partial".
func (b *bench) byName() map[string]string {
	all := map[string]string{}
	for _, w := range b.Stats().Workloads {
		all[w.Name] = fmt.Sprint(w.Unsandboxed, " ", w.Partial)
	}
	return all
}

func (b *bench) wantNames(when, want string) {
	b.t.Helper()
	var got []string
	all := b.byName()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		got = append(got, name+" "+all[name])
	}
	if text := strings.Join(got, ", "); text != want {
		b.t.Errorf("%s: %s, want %s", when, text, want)
	}
}

// running is a snapshot of processes of units.
func running(units ...string) *scan.Snapshot {
	slices.Sort(units)
	s := &scan.Snapshot{Kernel: kernel, Uptime: time.Hour}
	for i, unit := range units {
		s.Workloads = append(s.Workloads, scan.Workload{Name: unit, FullName: unit, Kind: scan.Unit, Unit: unit, Cgroup: "/system.slice/" + unit})
		s.Processes = append(s.Processes, scan.Process{PID: int32(i + 1), Workload: int32(i), State: scan.Unsandboxed})
	}
	return s
}

func TestWorkloadRuns(t *testing.T) {
	b := newBench(t, one, func(o *TallyOptions) {
		o.WorkloadLimit = 3
		o.Named = func(name string) bool { return name != "hidden.service" }
	})
	ends := func(unit string, n uint64) Cell { return cell(unit, scan.Unsandboxed, 0, n) }
	b.wantNames("at first", "")
	b.Update(running("a.service", "hidden.service"))
	b.wantNames("from 0", "a.service 0 0")
	b.end(ends("a.service", 2), cell("a.service", scan.Partial, 0, 3), cell("a.service", scan.Sandboxed, 0, 9),
		cell("a.service", scan.Unknown, 0, 9), launch(ends("a.service", 9)), ends("cron@1.service", 1), ends("cron@2.service", 1))
	b.wantNames("what ran between two scans", "a.service 2 3, cron@.service 2 0")
	b.end(ends("hidden.service", 7), ends("job.service", 1))
	b.wantNames("what may not be named", "a.service 2 3, cron@.service 2 0, job.service 1 0, other 7 0")
	b.Update(running("a.service", "b.service"))
	b.wantNames("what runs comes first", "a.service 2 3, b.service 0 0, cron@.service 2 0, other 8 0")
	b.end(ends("c.service", 4), ends("job.service", 1), ends("b.service", 1))
	b.wantNames("no room", "a.service 2 3, b.service 1 0, cron@.service 2 0, other 13 0")
	b.Update(running("a.service", "d.service", "e.service"))
	b.wantNames("b.service is waited for", "a.service 2 3, b.service 1 0, d.service 0 0, other 15 0")
	b.Update(running("a.service"))
	b.wantNames("what nothing ended of leaves nothing", "a.service 2 3, b.service 1 0, other 15 0")

	// What a rule is about comes first.
	b = newBench(t, "rules: [{name: z, match: {unit: [z.service]}}]\n", func(o *TallyOptions) { o.WorkloadLimit = 1 })
	b.Update(running("a.service", "z.service"))
	b.wantNames("one place", "z.service 0 0")

	b = newBench(t, one, func(o *TallyOptions) { o.HideWorkloads = true })
	b.Update(running("a.service"))
	b.end(ends("a.service", 2))
	b.wantNames("hidden", "")
	b.wantRules("hidden", b.Stats().Rules...)
	if got := b.Stats().Rules; len(got) != 1 || got[0].Short != 2 {
		t.Errorf("%+v", got)
	}
}

// Whatever ends and whoever runs, the sum is exact, that of all others never falls, and what
// runs has a series before all that did not in the last hour.
func TestWorkloadRunsAddUp(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		b := newBench(t, one, func(o *TallyOptions) { o.WorkloadLimit = 4 + r.IntN(10) })
		now := time.Unix(1e9, 0)
		b.clock.now = func() time.Time { return now }
		var sum, other uint64
		ran := map[string]time.Time{}
		var live []string
		for range 60 {
			now = now.Add(time.Duration(r.IntN(1200)) * time.Second)
			var cells []Cell
			for range r.IntN(8) {
				n := uint64(r.IntN(5))
				c := cell(fmt.Sprintf("%c.service", 'a'+r.IntN(8)), scan.Unsandboxed, 0, n)
				if r.IntN(3) == 0 { // users' programs
					c.Cgroup, c.Exe = "/user", fmt.Sprintf("/tmp/%c", 'a'+r.IntN(20))
				}
				sum += n
				cells = append(cells, c)
			}
			for _, unit := range live { // as far as is known
				ran[unit] = now
			}
			before := b.byName()
			b.end(cells...)
			live = live[:0]
			for range r.IntN(4) {
				live = append(live, fmt.Sprintf("%c.service", 'a'+r.IntN(12)))
			}
			slices.Sort(live)
			live = slices.Compact(live)
			b.Update(running(live...))
			var total, others uint64
			for _, w := range b.Stats().Workloads {
				total += w.Unsandboxed
				if w.Name == "other" {
					others = w.Unsandboxed
				}
			}
			after := b.byName()
			for _, unit := range live {
				ran[unit] = now
			}
			for _, unit := range live {
				for name := range after {
					if after[unit] == "" && name != "other" && (ran[name].IsZero() || now.Sub(ran[name]) >= time.Hour) {
						t.Fatalf("seed %d: %s runs and has no series, but %s has: %v, before %v", seed, unit, name, after, before)
					}
				}
			}
			if own := len(after); total != sum || others < other || own > b.o.WorkloadLimit+1 {
				t.Fatalf("seed %d: %d of %d, other %d after %d, %v", seed, total, sum, others, other, after)
			}
			other = others
		}
	}
}

// FuzzCells: whatever the feed returns, it is counted once, and what is kept is bounded.
func FuzzCells(f *testing.F) {
	f.Add("/system.slice/a.service", "/init.scope", "/bin/a", []byte{1, 2, 3, 4, 5, 6, 7, 8}, uint64(3), int64(10e9))
	f.Add("/", "", "", []byte("\xff\xff\xff\xff\xff\xff\xff\xff"), uint64(1<<63), int64(-1))
	f.Add("a/../\xff\x00/user@0.service/x.scope", "/a\nb", "/memfd:\x1b[2J (deleted)", []byte{0, 255, 9}, uint64(0), int64(1<<62))
	f.Fuzz(func(t *testing.T, group, parent, exe string, bits []byte, n uint64, age int64) {
		b := newBench(t, one, nil)
		bit := func(i int) byte {
			if len(bits) == 0 {
				return 0
			}
			return bits[i%len(bits)]
		}
		c := Cell{Count: n, Key: Key{
			Kind: Kind(bit(0) & 1), State: scan.State(bit(1)), Depth: uint16(bit(2)) << 8, Cgroup: group, CgroupV1: parent,
			CgroupID: uint64(bit(3)), CgroupV1ID: uint64(bit(4)), ParentCgroup: parent, Exe: exe, ExeCut: bit(5)&1 != 0,
			ExeOrigin: scan.Origin(bit(6) & 3), UID: uint32(bit(7)) - 1, MinAge: time.Duration(age), PID: int32(bit(8)), Start: n, Folded: bit(9)&1 != 0,
		}, Last: Last{PID: int32(bit(10)) - 5, Start: uint64(age), End: n}}
		c.Handled[0] = uint32(n)
		b.Update(hostOf(scan.Unsandboxed))
		b.end(c, c)
		s := b.Stats()
		sum := uint64(0)
		for _, words := range []map[string]uint64{s.Ended, s.Launches} {
			for _, n := range words {
				sum += n
			}
		}
		if sum != 2*n {
			t.Errorf("%d are counted of %d twice", sum, n)
		}
		for _, w := range s.Workloads {
			if len(w.Name) > 128 || w.Name == "" {
				t.Errorf("workload %q", w.Name)
			}
		}
		for _, e := range b.Recent() {
			if e.Time.After(time.Unix(1e9, 0)) || len(e.Rules) > MaxEndedRules || e.Age < 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}
