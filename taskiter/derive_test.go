// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

// host simulates tasks in domains, and an allocator that gives the address of a
// freed domain to the next one: the worst that a kernel could do.
type host struct {
	rng     *rand.Rand
	domains map[int]*hostDomain // by serial number, never used twice
	free    []uint64
	tasks   []hostTask
	clock   uint64
	serial  int
}

type hostDomain struct {
	address uint64
	parent  int // serial number, 0 = none
}

type hostTask struct {
	key    taskKey
	domain int
}

func newHost(rng *rand.Rand, addresses int) *host {
	h := &host{rng: rng, domains: map[int]*hostDomain{}}
	for i := range addresses {
		h.free = append(h.free, 0xffff888000000000+uint64(i)*64)
	}
	return h
}

// chain returns the domain and all that it is nested in.
func (h *host) chain(domain int) []int {
	var c []int
	for ; domain != 0; domain = h.domains[domain].parent {
		c = append(c, domain)
	}
	return c
}

func (h *host) start(domain int) {
	h.clock++
	// TIDs are few, so that they come again.
	h.tasks = append(h.tasks, hostTask{taskKey{int32(1 + h.rng.IntN(8)), h.clock, 1}, domain})
}

func (h *host) step() {
	switch i := h.rng.IntN(10); {
	case len(h.tasks) == 0 || i < 2:
		h.start(0)
	case i < 4: // clone
		h.start(h.tasks[h.rng.IntN(len(h.tasks))].domain)
	case i < 6: // enter a domain
		if len(h.free) == 0 {
			return
		}
		t := &h.tasks[h.rng.IntN(len(h.tasks))]
		h.serial++
		last := len(h.free) - 1
		h.domains[h.serial] = &hostDomain{h.free[last], t.domain}
		h.free = h.free[:last]
		t.domain = h.serial
	case i < 7: // exec
		h.tasks[h.rng.IntN(len(h.tasks))].key.exec++
	case i < 8 && len(h.tasks) > 1: // exec by another thread than the leader
		a, b := h.rng.IntN(len(h.tasks)), h.rng.IntN(len(h.tasks))
		if a != b {
			h.tasks[a].key.tid, h.tasks[a].key.start = h.tasks[b].key.tid, h.tasks[b].key.start
			h.tasks[a].key.exec = h.tasks[b].key.exec + 1
			h.tasks = slices.Delete(h.tasks, b, b+1)
		}
	default:
		i := h.rng.IntN(len(h.tasks))
		h.tasks = slices.Delete(h.tasks, i, i+1)
	}
	h.collect()
}

// collect frees the domains that no task is in or below.
func (h *host) collect() {
	used := map[int]bool{}
	for _, t := range h.tasks {
		for _, d := range h.chain(t.domain) {
			used[d] = true
		}
	}
	var gone []int
	for d := range h.domains {
		if !used[d] {
			gone = append(gone, d)
		}
	}
	slices.Sort(gone)
	for _, d := range gone {
		h.free = append(h.free, h.domains[d].address)
		delete(h.domains, d)
	}
}

// scan has the deriver see all tasks and returns the ID of each domain.
func (h *host) scan(d *deriver) map[int]domainid.ID {
	slices.SortFunc(h.tasks, func(a, b hostTask) int { return cmp.Compare(a.key.tid, b.key.tid) })
	d.begin()
	seen := map[int]bool{}
	instant := 0
	for _, t := range h.tasks {
		instant++
		d.see(instant, t.key, h.addresses(t.domain))
	}
	for _, t := range h.tasks {
		if d.inDoubt(h.addresses(t.domain)) {
			d.seeAgain(t.key, h.addresses(t.domain))
		}
	}
	for _, t := range h.tasks {
		if !d.settle(t.key, h.addresses(t.domain), h.innermost(t.domain)) {
			panic("a task is in doubt though nothing happened during the scan")
		}
		for _, s := range h.chain(t.domain) {
			seen[s] = true
		}
	}
	ids := map[int]domainid.ID{}
	for s := range seen {
		ids[s] = d.id(h.domains[s].address)
	}
	d.end()
	return ids
}

// addresses is the chain by address.
func (h *host) addresses(domain int) []uint64 {
	var a []uint64
	for _, s := range h.chain(domain) {
		a = append(a, h.domains[s].address)
	}
	return a
}

// innermost is the first of them, 0 if there is none.
func (h *host) innermost(domain int) uint64 {
	if a := h.addresses(domain); len(a) > 0 {
		return a[0]
	}
	return 0
}

// members returns the tasks that are in each domain or below.
func (h *host) members() map[int][]taskKey {
	m := map[int][]taskKey{}
	for _, t := range h.tasks {
		for _, s := range h.chain(t.domain) {
			m[s] = append(m[s], t.key)
		}
	}
	return m
}

func TestDerivedIDs(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		h := newHost(rng, 1+rng.IntN(6))
		d := newDeriver()
		owner := map[domainid.ID]int{}     // every ID that there ever was
		last := map[int]domainid.ID{}      // of the scan before
		witnesses := map[int][]taskKey{}   // then
		addresses := map[uint64]struct{}{} // all
		for _, a := range h.free {
			addresses[a] = struct{}{}
		}
		splits := 0
		for scan := range 300 {
			for range rng.IntN(6) {
				h.step()
			}
			ids := h.scan(d)
			seen := map[domainid.ID]bool{}
			for s, id := range ids {
				if id == domainid.None {
					t.Fatalf("seed %d scan %d: domain %d has no ID", seed, scan, s)
				}
				if _, ok := addresses[uint64(id)]; ok {
					t.Fatalf("seed %d scan %d: the ID is an address", seed, scan)
				}
				if seen[id] {
					t.Fatalf("seed %d scan %d: two domains have one ID", seed, scan)
				}
				seen[id] = true
				if o, ok := owner[id]; ok && o != s {
					t.Fatalf("seed %d scan %d: domain %d has the ID that domain %d had", seed, scan, s, o)
				}
				owner[id] = s
				before, ok := last[s]
				stays := slices.ContainsFunc(h.tasks, func(t hostTask) bool {
					return slices.Contains(witnesses[s], t.key) && slices.Contains(h.chain(t.domain), s)
				})
				if ok && stays && before != id {
					t.Fatalf("seed %d scan %d: the ID of domain %d changed although a task stayed in it", seed, scan, s)
				}
				if ok && before != id {
					splits++
				}
			}
			if len(d.domains) != len(ids) {
				t.Fatalf("seed %d scan %d: %d domains are remembered, there are %d", seed, scan, len(d.domains), len(ids))
			}
			last, witnesses = ids, h.members()
		}
		if seed == 0 && splits == 0 {
			t.Error("no ID was ever given up: the simulation is too tame")
		}
	}
}

func TestDerivedIDsOfTwoDaemons(t *testing.T) {
	by := taskKey{1, 1, 1}
	ids := map[domainid.ID]bool{}
	for range 100 {
		d := newDeriver()
		d.begin()
		d.see(1, by, []uint64{0xffff888000000000})
		id := d.id(0xffff888000000000)
		if ids[id] {
			t.Fatal("two daemons gave one address the same ID: it could be looked up")
		}
		ids[id] = true
		if got := d.id(0xffff888000000000); got != id {
			t.Errorf("asked twice in one scan: %v, then %v", id, got)
		}
		if got := d.id(0xffff888000000040); got != domainid.None {
			t.Errorf("an address that was not seen has ID %v", got)
		}
	}
}

// TestDerivedIDsOfFreedThreads: a thread that was seen in a domain, and is in none when it is looked
// at again, may have left before another one came to the same address.
func TestDerivedIDsOfFreedThreads(t *testing.T) {
	const address = 0xffff888000000000
	at := []uint64{address}
	freed, other := taskKey{1, 1, 1}, taskKey{2, 2, 1}
	for _, c := range []struct {
		again []uint64
		want  bool
	}{
		{at, true},
		{[]uint64{address + 64, address}, true}, // nested in it by now
		{nil, false},
		{[]uint64{address + 64}, false},
	} {
		d := newDeriver()
		d.begin()
		d.see(1, freed, at)
		if !d.settle(freed, at, address) {
			t.Fatal("the only task in a domain is not")
		}
		d.begin()
		d.see(1, freed, at)
		d.see(2, other, at)
		if !d.inDoubt(at) {
			t.Fatal("nobody vouches for the second, and it is not in doubt")
		}
		d.seeAgain(freed, c.again)
		d.seeAgain(other, at)
		if got := d.settle(freed, at, address); got != c.want {
			t.Errorf("found again under %x: %v", c.again, got)
		}
	}
}

// TestDerivedIDsDuringScans: the host changes between any two tasks that a scan
// visits, and addresses are used again at once.
func TestDerivedIDsDuringScans(t *testing.T) {
	type sighting struct {
		task   hostTask
		chain  []int
		at     []uint64
		number int
	}
	var told, doubtful, together int
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h := newHost(rng, 1+rng.IntN(3))
		d := newDeriver()
		owner := map[domainid.ID]int{}
		for range 200 {
			d.begin()
			var seen []sighting
			again := map[int32]bool{}
			visit := func(first bool) {
				// Ascending by TID, of what is there when its turn comes.
				for tid := int32(1); tid <= 8; tid++ {
					if rng.IntN(2) == 0 {
						h.step()
					}
					i := slices.IndexFunc(h.tasks, func(t hostTask) bool { return t.key.tid == tid })
					if i < 0 || !first && !again[tid] {
						continue
					}
					task := h.tasks[i]
					if !first {
						d.seeAgain(task.key, h.addresses(task.domain))
						continue
					}
					s := sighting{task, h.chain(task.domain), h.addresses(task.domain), len(seen) + 1}
					seen = append(seen, s)
					d.see(s.number, task.key, s.at)
				}
			}
			visit(true)
			for _, s := range seen {
				if d.inDoubt(s.at) {
					again[s.task.key.tid] = true
				}
			}
			if len(again) > 0 {
				visit(false)
			}
			for _, s := range seen {
				if len(s.chain) == 0 {
					continue
				}
				if !d.settle(s.task.key, s.at, s.at[0]) {
					doubtful++
					continue
				}
				told++
				for i, domain := range s.chain {
					id := d.id(s.at[i])
					if o, ok := owner[id]; ok && o != domain {
						t.Fatalf("seed %d: domains %d and %d have one ID", seed, o, domain)
					}
					if _, ok := owner[id]; ok {
						together++
					}
					owner[id] = domain
				}
			}
			d.end()
		}
	}
	t.Logf("%d tasks told, %d domains met again, %d tasks in doubt", told, together, doubtful)
	if told == 0 || together == 0 || doubtful == 0 {
		t.Error("the simulation does not do what it is for")
	}
}
