// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// wholly returns a host of which all is known, with one process.
func wholly(r *rand.Rand) (host, *scan.Process) {
	h := newHost()
	h.kernel(oneOf(r, 3, 6, 11))
	h.Source.Rules = "read"
	some := func(r *rand.Rand) access.Rights {
		return access.Rights{access.FS: r.Uint32() & 7, access.Net: r.Uint32() & 3, access.Scope: r.Uint32() & 1}
	}
	for i := range 1 + r.IntN(5) {
		handled := some(r)
		handled[access.FS] |= 1
		d := h.domain(int32(r.IntN(i+1))-1, handled.Intersect(h.Kernel.Rights.Sure))
		h.Domains[d].Ruleset = &domainid.Ruleset{EveryPort: h.Domains[d].Handled[access.Net] & r.Uint32() & r.Uint32()}
	}
	domains := make([]int32, 1+r.IntN(3))
	for i := range domains {
		if domains[i] = int32(r.IntN(len(h.Domains))); r.IntN(8) == 0 {
			domains[i] = -1
		}
	}
	p := h.process(h.unit("a.service"), "/a", domains...)
	for i := range h.TasksOf(p) {
		t := &h.TasksOf(p)[i]
		if t.Domain < 0 {
			continue
		}
		everywhere := make([]uint32, h.Domains[t.Domain].Depth)
		for j := range everywhere {
			everywhere[j] = oneOf(r, 0, r.Uint32()&7, 1<<16-1)
		}
		t.View = h.view(t.Domain, everywhere...)
	}
	for r.IntN(3) == 0 {
		place := freePlace
		if r.IntN(2) == 0 {
			place = placeIn(int32(r.IntN(len(h.Domains))))
		}
		h.worker(place, place)
	}
	return h, p
}

// truth is what is true of a process of which all is known, found by looking at
// each layer of each task.
type truth struct {
	inside, free int // tasks
	depth        int // of the shallowest task that is in a domain
	deepest      int
	restricts    access.Rights
	outside      bool
}

func truthOf(h host, p *scan.Process) truth {
	t := truth{depth: 99, restricts: access.Every()}
	for _, task := range h.TasksOf(p) {
		if task.Domain < 0 {
			t.free++
			continue
		}
		t.inside++
		var restricts access.Rights
		depth := 0
		for d := task.Domain; d >= 0; d = h.Domains[d].Parent {
			depth++
			own := h.Domains[d].Handled
			if own[access.FS] != 0 && h.Kernel.ABI > 1 {
				own[access.FS] |= access.Refer
			}
			own[access.FS] &^= h.Views[task.View].Everywhere[h.Domains[d].Depth-1]
			own[access.Net] &^= h.Domains[d].Ruleset.EveryPort
			restricts = restricts.Union(own)
		}
		t.deepest = max(t.deepest, depth)
		t.depth, t.restricts = min(t.depth, depth), t.restricts.Intersect(restricts)
	}
	for _, w := range h.WorkersOf(p) {
		within := false
		for d := w.Real.Domain; d >= 0; d = h.Domains[d].Parent {
			within = within || slices.ContainsFunc(h.TasksOf(p), func(task scan.Task) bool { return task.Domain == d })
		}
		t.outside = t.outside || !within && t.free == 0
	}
	return t
}

// complies reports whether a process is as expected, in truth.
func (t *truth) complies(x *Expect, asked access.Rights) bool {
	if x.Free {
		return t.inside == 0
	}
	return t.inside > 0 && (x.MaxDepth == 0 || t.deepest <= x.MaxDepth) &&
		(t.free == 0 || x.Partial) && (x.Ineffective || !t.restricts.Empty()) &&
		t.depth >= x.MinDepth && t.restricts.Has(asked) &&
		(asked.Empty() || !t.outside || x.OutsideWorkers == OutsideAllowed)
}

// obscure takes from a host what a scan may not find out.
func obscure(r *rand.Rand, h host, p *scan.Process) {
	for i := range h.Tasks {
		t := &h.Tasks[i]
		switch {
		case r.IntN(8) == 0:
			t.State, t.Domain, t.View, t.Depth, t.DepthExact = scan.Unknown, domainid.Outermost, domainid.NoView, 0, false
			if p.State == scan.Sandboxed || p.State == scan.Unsandboxed {
				p.State, p.Reason = scan.Unknown, scan.Denied
			}
		case t.Domain < 0:
		case r.IntN(6) == 0:
			t.View = domainid.NoView
		case r.IntN(6) == 0:
			h.Views[t.View].Everywhere, h.Views[t.View].Doubt = nil, domainid.RootChanging
		case r.IntN(8) == 0:
			t.Domain, t.View, t.DepthExact = domainid.Outermost, domainid.NoView, r.IntN(2) == 0
			if !t.DepthExact {
				t.Depth = uint16(r.IntN(int(t.Depth) + 1))
			}
		}
	}
	for i := range h.Domains {
		d := &h.Domains[i]
		d.Rules = 70000 // enough for every port
		if r.IntN(8) == 0 {
			d.Ruleset = nil
		}
		if r.IntN(8) == 0 {
			d.Handled = access.Rights{}
		}
		if isParent := slices.ContainsFunc(h.Domains, func(o domainid.Domain) bool { return o.Parent == int32(i) }); !isParent && r.IntN(8) == 0 {
			// Its lineage was not found out, and so no view of it either.
			d.Parent, d.Depth, d.Lineage = domainid.Outermost, 1, domainid.LineageInferred
			for j := range h.Tasks {
				if h.Tasks[j].Domain == int32(i) {
					h.Tasks[j].View, h.Tasks[j].Depth, h.Tasks[j].DepthExact = domainid.NoView, 1, false
				}
			}
		}
	}
	for i := range h.Workers {
		if r.IntN(3) == 0 {
			h.Workers[i].Real = darkPlace
		}
		if r.IntN(3) == 0 {
			h.Workers[i].Acting = darkPlace
		}
	}
}

// Whatever a scan could not find out: what is judged to comply does, and what is judged
// to violate does not comply. Where all is known, only a worker outside leaves it Unknown.
func TestJudgeIsSound(t *testing.T) {
	var results [NumResults]int
	var reasons [numReasons]int
	for seed := range uint64(30000) {
		r := rand.New(rand.NewPCG(seed, 11))
		h, p := wholly(r)
		want := truthOf(h, p)
		x := Expect{Partial: r.IntN(2) == 0, Ineffective: r.IntN(3) == 0, MinDepth: r.IntN(3), OutsideWorkers: OutsideWorkers(r.IntN(3))}
		if r.IntN(3) == 0 {
			x.MaxDepth = max(1, x.MinDepth+r.IntN(2))
		}
		if r.IntN(2) == 0 {
			x.Restricts = []string{oneOf(r, "fs.execute", "fs.write_file", "net.*", "scope.signal", "scope.abs*")}
		}
		if r.IntN(8) == 0 {
			x = Expect{Free: true}
		}
		asked := x.demandOn(limitsOf(h.Snapshot), nil).asked
		known := r.IntN(4) == 0
		if !known {
			obscure(r, h, p)
		}
		result, reason, words := x.Judge(h.Snapshot, p)
		results[result]++
		reasons[reason]++
		complies := want.complies(&x, asked)
		// A worker outside makes it unknown by default, and is no violation.
		unsure := x.OutsideWorkers == OutsideUnknown && want.outside && !x.Free
		switch {
		case result == Compliant && !complies,
			result == Violating && complies,
			result == Unknown && known && !unsure,
			result == Violating && reason == OutsideWorker && (!want.outside || asked.Empty()),
			result == Violating && reason == RestrictsNothing && !want.restricts.Empty(),
			result == Violating && reason == TooShallow && want.depth >= x.MinDepth,
			result == Violating && reason == TooDeep && want.deepest <= x.MaxDepth,
			(reason == Sandboxed) != (result == Violating && x.Free),
			result == Violating && reason == RightNotRestricted && want.restricts.Has(asked),
			(words == "") != (result == Compliant),
			strings.HasSuffix(words, ": "), strings.Contains(words, ": ;"):
			t.Fatalf("seed %d: %v %v (%s), but complies %v, all known %v\n%+v\n%+v", seed, result, reason, words, complies, known, want, x)
		}
	}
	for _, o := range []Result{Compliant, Violating, Unknown} {
		if results[o] < 1000 {
			t.Errorf("only %d times %v: this says little", results[o], o)
		}
	}
	for _, reason := range []Reason{Unsandboxed, Partial, RestrictsNothing, TooShallow, TooDeep,
		RightNotRestricted, OutsideWorker, Sandboxed} {
		if reasons[reason] < 100 {
			t.Errorf("only %d times %v: this says little", reasons[reason], reason)
		}
	}
}
