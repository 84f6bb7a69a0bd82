// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// crowd draws a snapshot of random processes with some workers, nothing of which is
// hidden: domains of three levels at most, with views, and a few user IDs.
func crowd(r *rand.Rand) *Snapshot {
	s := &Snapshot{Kernel: Kernel{Landlock: Enabled, ABI: 1 + r.IntN(11)},
		Source: SourceInfo{Rules: []string{"read", "unread"}[r.IntN(2)]}}
	for i := range 1 + r.IntN(6) {
		d := domainid.Domain{
			ID: domainid.ID(i + 1), Parent: int32(r.IntN(i+1)) - 1, Depth: 1,
			Lineage: domainid.LineageKnown,
			Handled: access.Rights{access.FS: r.Uint32() & 3, access.Net: 1,
				access.Scope: r.Uint32() & 3}, Ruleset: &domainid.Ruleset{EveryPort: 1},
		}
		if d.Parent >= 0 {
			d.Depth += s.Domains[d.Parent].Depth
		}
		s.Domains = append(s.Domains, d)
		for range r.IntN(3) {
			v := domainid.View{Domain: int32(i)}
			for range d.Depth {
				v.Everywhere = append(v.Everywhere, r.Uint32()&3|access.Refer)
			}
			s.Views = append(s.Views, v)
		}
	}
	for pid := range int32(1 + r.IntN(6)) {
		p := Process{PID: pid + 1, FirstTask: int32(len(s.Tasks)), NumTasks: int32(1 + r.IntN(4)),
			FirstWorker: int32(len(s.Workers)), NumWorkers: int32(r.IntN(3))}
		var n [4]int
		mostlyIn := r.IntN(3) > 0
		for tid := range p.NumTasks {
			t := Task{TID: pid*10 + tid, State: Unsandboxed, Domain: domainid.Outermost,
				View: domainid.NoView, DepthExact: true}
			if mostlyIn && r.IntN(5) > 0 {
				t = s.in(r, t)
			}
			t.UID = uint32(r.IntN(3)) * 1000
			t.Hardening = Hardening(r.IntN(8))
			n[t.State]++
			s.Tasks = append(s.Tasks, t)
		}
		p.State = map[bool]State{true: Unsandboxed, false: Sandboxed}[n[Sandboxed] == 0]
		if n[Sandboxed] > 0 && n[Unsandboxed] > 0 {
			p.State = Partial
		}
		p.UID = s.Tasks[p.FirstTask].UID
		p.UIDsDiffer = slices.ContainsFunc(s.TasksOf(&p),
			func(t Task) bool { return t.UID != p.UID })
		for tid := range p.NumWorkers {
			s.Workers = append(s.Workers,
				Worker{TID: pid*10 + 5 + tid, Real: s.place(r), Acting: s.place(r)})
		}
		s.Processes = append(s.Processes, p)
	}
	return s
}

// in puts a task in some domain.
func (s *Snapshot) in(r *rand.Rand, t Task) Task {
	t.State, t.Domain = Sandboxed, int32(r.IntN(len(s.Domains)))
	t.Depth = s.Domains[t.Domain].Depth
	for v := range s.Views {
		if s.Views[v].Domain == t.Domain && (t.View == domainid.NoView || r.IntN(2) == 0) {
			t.View = int32(v)
		}
	}
	return t
}

func (s *Snapshot) place(r *rand.Rand) Place {
	if r.IntN(5) == 0 {
		return Place{State: Unsandboxed, Domain: domainid.Outermost}
	}
	return Place{State: Sandboxed, Domain: int32(r.IntN(len(s.Domains)))}
}

// hide returns the snapshot as a source may see it, which shows nothing false.
func (s *Snapshot) hide(r *rand.Rand) *Snapshot {
	one := func() bool { return r.IntN(5) == 0 }
	c := *s
	c.Processes, c.Tasks, c.Domains = slices.Clone(s.Processes), slices.Clone(s.Tasks),
		slices.Clone(s.Domains)
	c.Views, c.Workers = slices.Clone(s.Views), slices.Clone(s.Workers)
	for i := range c.Domains {
		d := &c.Domains[i]
		switch r.IntN(8) {
		case 0:
			d.Lineage, d.Parent, d.Depth = domainid.LineageUnknown, domainid.Outermost, 1
		case 1:
			d.Lineage = domainid.LineageInferred
			if d.Parent >= 0 && one() {
				d.Parent = s.Domains[d.Parent].Parent
			}
			d.Depth = 1
			if d.Parent >= 0 {
				d.Depth += c.Domains[d.Parent].Depth
			}
		case 2:
			d.Parent = domainid.Outermost
		case 3:
			d.Handled = access.Rights{}
		}
	}
	for i := range c.Views {
		if one() {
			c.Views[i].Everywhere, c.Views[i].Doubt = nil, domainid.RootChanging
		}
	}
	for i := range c.Tasks {
		if t := &c.Tasks[i]; t.State == Sandboxed {
			if t.Domain >= 0 {
				// What is not exact is a lower bound.
				t.Depth, t.DepthExact = c.Domains[t.Domain].Depth,
					c.Domains[t.Domain].Lineage == domainid.LineageKnown
			}
			if one() {
				t.Domain, t.View = domainid.Outermost, domainid.NoView
				t.Depth, t.DepthExact = 1, false
			} else if one() {
				t.View = domainid.NoView
			}
		}
	}
	blur := func(p *Place) {
		switch r.IntN(6) {
		case 0:
			*p = Place{Domain: domainid.Outermost}
		case 1:
			p.Domain = domainid.Outermost
		}
	}
	for i := range c.Workers {
		blur(&c.Workers[i].Real)
		blur(&c.Workers[i].Acting)
	}
	for i := range c.Processes {
		p := &c.Processes[i]
		isFree := func(t Task) bool { return t.State == Unsandboxed }
		switch free := slices.IndexFunc(c.TasksOf(p), isFree); {
		case r.IntN(6) == 0:
			p.State, p.Reason = Unknown, Changing
		case p.State == Partial && one() && free > 0:
			// What is known of two tasks is enough: the others may be unknown.
			for k := range c.TasksOf(p) {
				if t := &c.TasksOf(p)[k]; k != free && k != 0 &&
					c.TasksOf(p)[0].State == Sandboxed {
					*t = Task{TID: t.TID, UID: t.UID, Domain: domainid.Outermost,
						View: domainid.NoView, Reason: Denied}
				}
			}
		}
	}
	return &c
}

// nest reports whether a domain is another or is nested in it.
func (s *Snapshot) nest(inner, outer int32) bool {
	return inner == outer || inner >= 0 && s.nest(s.Domains[inner].Parent, outer)
}

// truth is what is true of a process of a snapshot of which nothing is hidden.
type truth struct {
	inside, ineffective, outside bool
	depth, deepest               uint16
	handles, restricts           access.Rights
}

// reallyOf applies the definition: a process may do what any task of it may, and a worker
// is outside if for no task its domain is the same or nested.
func (s *Snapshot) reallyOf(p *Process) truth {
	var is truth
	m := s.Meaning()
	for _, t := range s.TasksOf(p) {
		if t.State != Sandboxed {
			continue
		}
		one := m.Task(t.Domain, t.View, 0, false)
		depth := s.Domains[t.Domain].Depth
		if !is.inside {
			is.handles, is.restricts, is.depth = access.Every(), access.Every(), depth
		}
		is.inside = true
		is.handles, is.restricts = is.handles.Intersect(one.Handles.Sure),
			is.restricts.Intersect(one.Restricts.Sure)
		is.depth, is.deepest = min(is.depth, depth), max(is.deepest, depth)
	}
	is.ineffective = p.State == Sandboxed && is.restricts.Empty()
	for i := range s.WorkersOf(p) {
		is.outside = is.outside || s.reallyOutside(p, &s.WorkersOf(p)[i])
	}
	return is
}

func (s *Snapshot) reallyOutside(p *Process, w *Worker) bool {
	outside := false
	for _, at := range []Place{w.Real, w.Acting} {
		within := slices.ContainsFunc(s.TasksOf(p), func(t Task) bool {
			return t.State == Unsandboxed || at.State == Sandboxed && s.nest(at.Domain, t.Domain)
		})
		outside = outside || !within
	}
	return outside
}

// fits reports whether an answer is true; one that is not known always is.
func fits(said access.Answer, is bool) bool {
	return said == access.Unknown || (said == access.Yes) == is
}

// Whatever is hidden of a snapshot: what is concluded is true, and the same by
// Conclude as without. If nothing is hidden, everything is concluded.
func TestConcludeProperties(t *testing.T) {
	for seed := range uint64(10_000) {
		r := rand.New(rand.NewPCG(seed, 7))
		world := crowd(r)
		world.viewAll()
		seen := world
		hidden := seed%4 > 0
		if hidden {
			seen = world.hide(r)
		}
		concluded := *seen
		concluded.Processes, concluded.Workers = slices.Clone(seen.Processes),
			slices.Clone(seen.Workers)
		concluded.Conclude()
		for i := range seen.Processes {
			p, q := &seen.Processes[i], &concluded.Processes[i]
			is := world.reallyOf(&world.Processes[i])
			sandbox, inside := seen.SandboxOf(p)
			ineffective, outside := seen.Ineffective(p), seen.OutsideWorker(p)
			if b, in := concluded.SandboxOf(q); b != sandbox || in != inside ||
				concluded.Ineffective(q) != ineffective || concluded.OutsideWorker(q) != outside {
				t.Fatalf("seed %d, pid %d: concluded it is %+v, else %+v", seed, p.PID, b, sandbox)
			}
			if inside != (p.State == Sandboxed || p.State == Partial) {
				t.Fatalf("seed %d, pid %d: it is %v, with a sandbox: %v", seed, p.PID, p.State,
					inside)
			}
			if !fits(ineffective, is.ineffective) || !fits(outside, is.outside) {
				t.Fatalf("seed %d, pid %d, %v: ineffective %v, outside %v, but it is %+v", seed,
					p.PID, p.State, ineffective, outside, is)
			}
			if inside && !sandboxFits(&sandbox, &is) {
				t.Fatalf("seed %d, pid %d, %v: %+v, but it is %+v", seed, p.PID, p.State, sandbox,
					is)
			}
			unknown := ineffective == access.Unknown || outside == access.Unknown
			if !hidden && (unknown || inside && sandbox.Doubt != 0) {
				t.Fatalf("seed %d, pid %d: nothing is hidden, but %+v, ineffective %v, outside %v",
					seed, p.PID, sandbox, ineffective, outside)
			}
			for k := range seen.WorkersOf(p) {
				said := seen.Outside(p, &seen.WorkersOf(p)[k])
				is := world.reallyOutside(&world.Processes[i], &world.WorkersOf(p)[k])
				if !fits(said, is) {
					t.Fatalf("seed %d, pid %d: worker %d outside: %v, but it is %v", seed, p.PID, k,
						said, is)
				}
				if again := concluded.Outside(q, &concluded.WorkersOf(q)[k]); again != said {
					t.Fatalf("seed %d, pid %d: worker %d outside: concluded %v, else %v", seed,
						p.PID, k, again, said)
				}
			}
		}
	}
}

// viewAll gives every task in a domain a view of it, so that nothing is hidden.
func (s *Snapshot) viewAll() {
	for i := range s.Tasks {
		if t := &s.Tasks[i]; t.Domain >= 0 && t.View == domainid.NoView {
			t.View = int32(len(s.Views))
			s.Views = append(s.Views, domainid.View{Domain: t.Domain})
		}
	}
}

func sandboxFits(s *domainid.Sandbox, is *truth) bool {
	return is.handles.Has(s.Handles.Sure) && s.Handles.May.Has(is.handles) &&
		is.restricts.Has(s.Restricts.Sure) && s.Restricts.May.Has(is.restricts) &&
		s.Depth <= is.depth && is.depth <= s.MostDepth && s.Deepest <= is.deepest &&
		(!s.Exact || s.Depth == is.depth && s.Deepest == is.deepest)
}

// What a live domain handles, this kernel has, whatever it reports itself.
func TestConcludeRightsOfKernel(t *testing.T) {
	s := &Snapshot{Domains: []domainid.Domain{{Handled: access.Rights{access.Scope: 2}}}}
	s.Kernel.Rights = access.Bounds{Sure: access.FS.Rights(1), May: access.Rights{access.FS: 3}}
	s.Conclude()
	want := access.Bounds{Sure: access.Rights{access.FS: 1, access.Scope: 2},
		May: access.Rights{access.FS: 3, access.Scope: 2}}
	if s.Kernel.Rights != want {
		t.Errorf("%+v, want %+v", s.Kernel.Rights, want)
	}
}

// Three domains, each nested in the one before, and one beside them.
func TestOutsideWorker(t *testing.T) {
	const outer, home, inner, beside, guessed, orphan = 0, 1, 2, 3, 4, 5
	domain := func(parent int32, depth uint16, lineage domainid.Lineage) domainid.Domain {
		return domainid.Domain{Parent: parent, Depth: depth, Lineage: lineage,
			Handled: access.Rights{1}}
	}
	domains := []domainid.Domain{
		outer:   domain(domainid.Outermost, 1, domainid.LineageKnown),
		home:    domain(outer, 2, domainid.LineageKnown),
		inner:   domain(home, 3, domainid.LineageKnown),
		beside:  domain(domainid.Outermost, 1, domainid.LineageKnown),
		guessed: domain(home, 3, domainid.LineageInferred),
		orphan:  domain(domainid.Outermost, 3, domainid.LineageKnown),
	}
	in := func(d int32) Place { return Place{Sandboxed, d} }
	free, untold, somewhere := Place{Unsandboxed, domainid.Outermost},
		Place{Unknown, domainid.Outermost}, in(domainid.Outermost)
	for _, c := range []struct {
		name  string
		state State
		tasks []int32
		real  Place
		cred  Place
		want  access.Answer
	}{
		{"the same domain", Sandboxed, []int32{home}, in(home), in(home), access.No},
		{"nested", Sandboxed, []int32{home}, in(inner), in(inner), access.No},
		{"nested as far as is inferred", Sandboxed, []int32{home}, in(guessed), in(guessed),
			access.No},
		{"in none", Sandboxed, []int32{home}, free, free, access.Yes},
		{"the outer one", Sandboxed, []int32{home}, in(outer), in(outer), access.Yes},
		{"one beside", Sandboxed, []int32{home}, in(beside), in(beside), access.Yes},
		{"the freer of two counts: real", Sandboxed, []int32{home}, free, in(home), access.Yes},
		{"the freer of two counts: acting", Sandboxed, []int32{home}, in(inner), in(outer),
			access.Yes},
		{"one is not known, the other inside", Sandboxed, []int32{home}, untold, in(home),
			access.Unknown},
		{"one is not known, the other outside", Sandboxed, []int32{home}, untold, free, access.Yes},
		{"in a domain that is not known", Sandboxed, []int32{home}, somewhere, in(home),
			access.Unknown},
		{"inferred to be elsewhere", Sandboxed, []int32{beside}, in(guessed), in(beside),
			access.Unknown},
		{"its parents are missing", Sandboxed, []int32{outer}, in(orphan), in(outer),
			access.Unknown},
		{"it is where one task is", Sandboxed, []int32{home, beside}, in(beside), in(home),
			access.No},
		{"a task in a domain that is not known", Sandboxed, []int32{domainid.Outermost, home},
			in(outer), in(outer), access.Unknown},
		{"a task in one that is not known, and one where it is", Sandboxed,
			[]int32{domainid.Outermost, home}, in(inner), in(home), access.No},
		{"a partial process has a free task", Partial, []int32{home}, free, free, access.No},
		{"a free process", Unsandboxed, []int32{domainid.Outermost}, free, free, access.No},
		{"a process of which nothing is known", Unknown, []int32{home}, free, free, access.Unknown},
	} {
		s := &Snapshot{Domains: domains,
			Processes: []Process{{State: c.state, NumTasks: int32(len(c.tasks)), NumWorkers: 1}},
			Workers:   []Worker{{Real: c.real, Acting: c.cred}}}
		for _, d := range c.tasks {
			s.Tasks = append(s.Tasks, Task{State: Sandboxed, Domain: d, View: domainid.NoView})
		}
		for range 2 {
			p := &s.Processes[0]
			if a, b := s.OutsideWorker(p), s.Outside(p, &s.Workers[0]); a != c.want || b != c.want {
				t.Errorf("%s: the process %v, its worker %v; want %v", c.name, a, b, c.want)
			}
			s.Conclude()
		}
	}
	without := &Snapshot{Processes: []Process{{State: Unknown}}}
	if got := without.OutsideWorker(&without.Processes[0]); got != access.No {
		t.Errorf("without a worker: %v", got)
	}
}

func TestIneffectiveOfStates(t *testing.T) {
	s := &Snapshot{
		Source: SourceInfo{Rules: "read"},
		Domains: []domainid.Domain{{Parent: domainid.Outermost, Depth: 1,
			Lineage: domainid.LineageKnown, Handled: access.Rights{1}}},
		Views: []domainid.View{{Everywhere: []uint32{1}}},
		Tasks: []Task{{State: Sandboxed},
			{State: Unsandboxed, Domain: domainid.Outermost, View: domainid.NoView}},
	}
	for state, want := range map[State]access.Answer{
		Sandboxed: access.Yes, Partial: access.No, Unsandboxed: access.No, Unknown: access.Unknown,
	} {
		if got := s.Ineffective(&Process{State: state, NumTasks: 1}); got != want {
			t.Errorf("%v: %v, want %v", state, got, want)
		}
	}
	if got := s.Ineffective(&Process{State: Sandboxed}); got != access.Unknown {
		t.Errorf("without tasks: %v", got)
	}
}

// User IDs and extents are those of all tasks.
func TestFactsOfAllTasks(t *testing.T) {
	for seed := range uint64(1000) {
		s := crowd(rand.New(rand.NewPCG(seed, 8)))
		for i := range s.Processes {
			p := &s.Processes[i]
			tasks := s.TasksOf(p)
			uids := map[uint32]bool{}
			for _, t := range tasks {
				uids[t.UID] = true
			}
			got := s.UIDs(p)
			if !slices.IsSorted(got) || len(got) != len(uids) ||
				slices.ContainsFunc(got, func(uid uint32) bool { return !uids[uid] }) {
				t.Fatalf("seed %d: user IDs %v, want %v", seed, got, uids)
			}
			for _, h := range []Hardening{NoNewPrivs, SeccompStrict | SeccompFilter, SeccompFilter} {
				all, some := true, false
				for _, t := range tasks {
					all, some = all && t.Hardening&h != 0, some || t.Hardening&h != 0
				}
				want := OfSome
				if all {
					want = OfAll
				} else if !some {
					want = OfNone
				}
				if x := ExtentOf(tasks, h); x != want {
					t.Fatalf("seed %d: %v of %+v, want %v", seed, x, tasks, want)
				}
			}
		}
	}
	if ExtentOf(nil, NoNewPrivs) != OfNone {
		t.Error("no tasks have something")
	}
	want := []Hardening{0, SeccompStrict, SeccompFilter, SeccompFilter}
	got := []Hardening{SeccompMode(0), SeccompMode(1), SeccompMode(2), SeccompMode(9)}
	if !slices.Equal(got, want) {
		t.Errorf("modes of seccomp: %v, want %v", got, want)
	}
}
