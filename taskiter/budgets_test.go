// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// maxCall is ten times what one call of a program may take on an idle processor:
// a test catches what hangs.
const maxCall = 10 * time.Millisecond

// demandRead demands that of some processes everything is known: each domain, its
// rules, and what they restrict.
func demandRead(t *testing.T, snap *scan.Snapshot, depth uint16, pids ...int32) {
	t.Helper()
	for _, pid := range pids {
		p := mustFind(t, snap, pid)
		if p.State != scan.Sandboxed || p.Depth != depth || p.MaxDepth != depth {
			t.Fatalf("process %d: %v at depth %d to %d, want %d", pid, p.State, p.Depth, p.MaxDepth, depth)
		}
		task := snap.TasksOf(p)[0]
		if task.Domain < 0 || snap.Domains[task.Domain].Ruleset == nil {
			t.Fatalf("process %d: its domain or the rules of that are unread", pid)
		}
		restricted(t, snap, p)
	}
}

// TestManyDomains: beyond the budgets, state and depth of every process are exact,
// and only domains of those who made so many are left out.
func TestManyDomains(t *testing.T) {
	for name, derive := range map[string]bool{"kernel's IDs": false, "derived IDs": true} {
		t.Run(name, func(t *testing.T) { testManyDomains(t, Options{RuleTime: defaultRuleTime, DeriveIDs: derive}) })
	}
}

func testManyDomains(t *testing.T, opts Options) {
	const flooder, other, victim = 65534, 65533, 1
	s := openSource(t, opts)
	flood := startCrowd(t, flooder, "domains", "1500", "16") // 24 000 domains
	second := startCrowd(t, other, "domains", "1500", "16")
	others := startActorAs(t, victim, "many", "30", "1")
	more := startCrowd(t, flooder, "domains", "3", "2")
	for n := range 4 {
		snap := mustScan(t, s)
		if snap.DomainsUnread == 0 || len(snap.Domains) > maxDomains+1000 {
			t.Fatalf("scan %d: %d domains are unread, %d are read", n, snap.DomainsUnread, len(snap.Domains))
		}
		checkSnapshot(t, snap)
		demandRead(t, snap, 1, others.pids...)
		for _, pid := range slices.Concat(flood.pids, second.pids) {
			if p := mustFind(t, snap, pid); p.State != scan.Sandboxed || p.Depth != 16 || p.MaxDepth != 16 {
				t.Fatalf("process %d: %v at depth %d to %d", pid, p.State, p.Depth, p.MaxDepth)
			}
		}
		unread := 0
		for i := range snap.Processes {
			p := &snap.Processes[i]
			if task := snap.TasksOf(p)[0]; p.State == scan.Sandboxed && task.Domain < 0 {
				if p.PPID == flood.pid || p.PPID == second.pid {
					unread++
				}
				if p.UID != flooder && p.UID != other {
					t.Errorf("process %d of user %d: its domain is unread", p.PID, p.UID)
				}
				sandbox, _ := snap.SandboxOf(p)
				if sandbox.Effective() != access.Unknown || !sandbox.Exact || sandbox.Depth != task.Depth {
					t.Errorf("process %d: %+v", p.PID, sandbox)
				}
			}
		}
		if unread == 0 || n > 0 && unread > 2000 {
			t.Errorf("scan %d: domains of %d processes are unread", n, unread)
		}
		// What rules are about has a share of its own.
		if n == 1 {
			s.Favour(more.pids)
		}
		if n > 1 {
			demandRead(t, snap, 2, more.pids...)
		}
	}
	flood.stop()
	second.stop()
	for _, pid := range slices.Concat(flood.pids, second.pids) {
		awaitProcessGone(t, pid)
	}
	// What a burst took is given back in the second scan behind it, and what is left
	// is read in some more: other sandboxes of the host come and go.
	mustScan(t, s)
	snap := mustScan(t, s)
	for n := 0; n < 20 && snap.DomainsUnread > 0; n++ {
		snap = mustScan(t, s)
	}
	if snap.DomainsUnread != 0 || cap(s.pass.described) > maxDomains/4 || len(s.rulebook.layers) != len(snap.Domains) {
		t.Errorf("%d domains are unread, room for %d is kept, rules of %d for %d", snap.DomainsUnread,
			cap(s.pass.described), len(s.rulebook.layers), len(snap.Domains))
	}
}

// TestManyUsers: users who each have no more than is usual, but together more than is
// read, keep nothing from being read of another one, whose processes come last.
func TestManyUsers(t *testing.T) {
	const first, users, victim = 60001, 5, 2
	s := openSource(t, Options{RuleTime: defaultRuleTime})
	var crowds []*actor
	for i := range uint32(users) {
		crowds = append(crowds, startCrowd(t, first+i, "domains", "512", "16"))
	}
	others := startCrowd(t, victim, "domains", "4", "16")
	for range 4 {
		snap := mustScan(t, s)
		if snap.DomainsUnread == 0 {
			t.Fatal("all domains are read: the test needs more")
		}
		demandRead(t, snap, 16, others.pids...)
	}
	for _, a := range crowds {
		a.stop()
	}
}

// TestTurns: accounts take turns, another one comes first in each scan, and those
// that rules are about come before the others.
func TestTurns(t *testing.T) {
	var firsts []account
	for scan := range uint64(3) {
		q := newRuleQueue()
		for d, a := range []account{{uid: 3}, {uid: 1}, {uid: 2, favoured: true}, {uid: 1}, {uid: 2}} {
			q.add(int32(d), a)
		}
		q.rotate(scan)
		if q.accounts[0] != (account{2, true}) {
			t.Errorf("scan %d: %+v comes first", scan, q.accounts[0])
		}
		firsts = append(firsts, q.accounts[1])
		seen := map[int32]int{}
		for turn, d := range q.turns() {
			seen[d] = turn
		}
		if want := map[int32]int{0: 0, 1: 0, 2: 0, 3: 1, 4: 0}; !maps.Equal(seen, want) {
			t.Errorf("scan %d: turns %v, want %v", scan, seen, want)
		}
	}
	if !slices.Equal(firsts, []account{{uid: 1}, {uid: 2}, {uid: 3}}) {
		t.Errorf("behind the favoured one came %v", firsts)
	}
}

// TestManyThreads: the same of threads of one process, each in domains of its own.
func TestManyThreads(t *testing.T) {
	const flooder, victim, threads, layers = 65534, 3, 3000, 14
	s := openSource(t, Options{RuleTime: defaultRuleTime})
	flood := startCrowd(t, flooder, "threads", strconv.Itoa(threads), strconv.Itoa(layers))
	others := startCrowd(t, victim, "domains", "20", "2")
	for range 4 {
		snap := mustScan(t, s)
		demandRead(t, snap, 2, others.pids...)
		p := mustFind(t, snap, flood.pid)
		if p.State != scan.Partial || p.NumTasks != threads+1 || p.MaxDepth != layers {
			t.Fatalf("%v, %d tasks, down to depth %d", p.State, p.NumTasks, p.MaxDepth)
		}
		unread := 0
		for _, task := range snap.TasksOf(p) {
			if task.TID == p.PID {
				continue
			}
			if task.State != scan.Sandboxed || task.Depth != layers || !task.DepthExact {
				t.Fatalf("task %+v", task)
			}
			if task.Domain < 0 {
				unread++
			}
		}
		if unread == 0 || snap.DomainsUnread < unread {
			t.Fatalf("domains of %d threads are unread, in all %d", unread, snap.DomainsUnread)
		}
	}
}

// TestManyRules: a domain with as many rules as there are ports, and processes in
// it that change their root directories all the time; or one with many rules on
// files, and processes whose root directories are far below: they keep nothing of
// others from being read, and no processor for long.
func TestManyRules(t *testing.T) {
	for name, c := range map[string]struct {
		verb, rules string
		all         uint32 // rules of each layer
	}{
		"ports": {"roots", "65535", 65535},
		"files": {"files", "20000", 20001},
	} {
		t.Run(name, func(t *testing.T) { testManyRules(t, c.all, c.verb, "300", c.rules, "4") })
	}
}

func testManyRules(t *testing.T, all uint32, crowd ...string) {
	const flooder, victim, layers = 65534, 4, 4
	s := openSource(t, Options{RuleTime: defaultRuleTime})
	if s.state.Kernel.ABI < 4 {
		t.Fatal("this kernel has no rules on ports: run this test on Linux 6.7 or later")
	}
	dir := tree(t, ".")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	flood := startCrowd(t, flooder, append(crowd, dir)...)
	others := startActorAs(t, victim, "many", "30", "2")
	var shallow, deep []int32
	for i, pid := range others.pids {
		if i%2 == 0 {
			shallow = append(shallow, pid)
		} else {
			deep = append(deep, pid)
		}
	}
	scans, read := 0, 0
	for began := time.Now(); ; scans++ {
		if took := time.Since(began); took > time.Minute || took > 5*time.Second && read > 0 {
			break
		}
		snap := mustScan(t, s)
		demandRead(t, snap, 1, shallow...)
		demandRead(t, snap, 2, deep...)
		for i := range snap.Processes {
			if p := &snap.Processes[i]; p.PPID == flood.pid {
				if p.State != scan.Sandboxed || p.Depth != layers {
					t.Fatalf("process %d: %v at depth %d", p.PID, p.State, p.Depth)
				}
			}
		}
		if d := snap.TasksOf(mustFind(t, snap, flood.pid))[0].Domain; snap.Domains[d].Ruleset != nil {
			read++
			if rs := snap.Domains[d].Ruleset; rs.Rules != all || rs.EveryPort != 0 {
				t.Fatalf("rules %d, on every port %#x", rs.Rules, rs.EveryPort)
			}
		}
	}
	t.Logf("%d scans, %d of them with all %d rules of %d layers; the longest call took %v",
		scans, read, all, layers, longestCall(s))
	if read == 0 {
		t.Error("the rules were never read")
	}
	if longestCall(s) > maxCall {
		t.Errorf("one call took %v", longestCall(s))
	}
}

// TestFairShare: nobody has less than others who need as much, and nothing is left
// over while somebody needs it.
func TestFairShare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		needs := make([]int, 1+r.IntN(20))
		sum := 0
		for i := range needs {
			needs[i] = r.IntN(1000)
			sum += needs[i]
		}
		all := r.IntN(8000)
		share := fairShare(slices.Clone(needs), all)
		given := 0
		for _, n := range needs {
			given += min(n, share)
		}
		if given > all && share != all || sum <= all && given != sum || sum > all && given < all-len(needs) {
			t.Fatalf("needs %v, all %d: share %d gives %d of %d", needs, all, share, given, sum)
		}
	}
}

// endingContext ends when it has been looked at a number of times.
type endingContext struct {
	context.Context
	left int
}

func (c *endingContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCanceledScan: a scan ends with its context, wherever it is, and the next one
// works.
func TestCanceledScan(t *testing.T) {
	s := openSource(t, Options{RuleTime: defaultRuleTime})
	startActor(t, "many", "20", "3")
	for looks := 0; ; looks++ {
		snap, err := s.Scan(&endingContext{context.Background(), looks})
		if err == nil {
			checkSnapshot(t, snap)
			if looks < 3 {
				t.Errorf("a whole scan looks at its context %d times", looks)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || errors.As(err, new(*scan.Error)) {
			t.Fatalf("after %d looks: %v", looks, err)
		}
	}
}

// longestCall returns how long the programs were busy with one task at most, since
// they were loaded, as far as that depends on what users do.
func longestCall(s *Source) time.Duration {
	return time.Duration(slices.Max(s.control.LongestNs[:]))
}
