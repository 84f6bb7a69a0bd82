// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// chained is a source that found one task, in a domain nested in another, and has
// asked for their rules.
func chained(t *testing.T) (*Source, *rulesSink) {
	t.Helper()
	s := &Source{rulebook: newRulebook(), control: &control{controlBlock: &controlBlock{}}}
	s.state.Format, s.state.Kernel.ABI = testFormat, 1
	s.pass.reset()
	s.pass.domain(&domainRecord{Key: 10, Depth: 1, Mask: 0b0110, NumRules: absent})
	s.pass.domain(&domainRecord{Key: 20, Depth: 2, Parent: 10, Mask: 0b1010, NumRules: 3})
	s.pass.add(objectTaskRecord{Tid: 7, Start: 8, ExecId: 9, Domain: 20, Depth: 2, Account: 5})
	s.rulebook.begin()
	s.holders = []holder{{}, {num: 1, account: account{uid: 5}}}
	q := s.queueRules()
	k := s.wantRules(q, time.Second)
	if q.len() != 1 || len(k.wanted) != 1 || s.control.Wants[7] != (want{Tid: 7, Levels: 0b11, Urgent: 1, Places: 1}) {
		t.Fatalf("%d domains wait, wanted %v", q.len(), k.wanted)
	}
	return s, k
}

// add has the pass read the record of one more task.
func (p *pass) add(r objectTaskRecord) {
	if err := p.block(encode(objectRecordKindRECORD_TASK, r)); err != nil {
		panic(err)
	}
}

// chainedRules are all rules of the task's domain.
func chainedRules() (rulesRecord, []ruleEntry) {
	return rulesRecord{
			Tid: 7, Start: 8, ExecId: 9, Domain: 20, NumLayers: 2,
			Tree: uint32(objectTreeTREE_INODES), Next: 100, Done: 1,
		}, []ruleEntry{
			{Object: 443, Access: 3, Bits: rulePort, Level: 2},
			{Object: 99, Access: 0b0111, Level: 1},
			{Object: 98, Access: ^uint32(0), Bits: ruleFSRoot, Level: 2},
			{Object: 0, Access: 1, Level: 2}, // its file is gone
		}
}

// rulesOf returns what is kept of a domain's rules, or nil.
func rulesOf(s *Source, id domainid.ID) *domainid.Ruleset {
	if l := s.rulebook.of(id, domainid.RulesUncounted); l != nil {
		return l.rules.rules
	}
	return nil
}

func TestRulesSink(t *testing.T) {
	s, k := chained(t)
	rec, rules := chainedRules()
	k.rules(&rec, rules)
	outer, inner := rulesOf(s, 10), rulesOf(s, 20)
	if outer == nil || inner == nil {
		t.Fatalf("rules %+v and %+v", outer, inner)
	}
	if !slices.Equal(outer.Inodes, []domainid.InodeRule{{Ino: 99, FS: 0b0110}}) || outer.Rules != 1 || outer.Ports != nil {
		t.Errorf("outer rules %+v", outer)
	}
	if inner.Rules != 3 || len(inner.Ports) != 1 || inner.Ports[0] != (domainid.PortRule{Port: 443}) ||
		!slices.Equal(inner.Inodes, []domainid.InodeRule{{Ino: 98, FS: 0b1010, FSRoot: true}}) || inner.InodesLeftOut != 0 {
		t.Errorf("inner rules %+v", inner)
	}
	if len(s.rulebook.readings) != 0 || s.holders[1].outcome != allCame {
		t.Errorf("%d readings are left, outcome %v", len(s.rulebook.readings), s.holders[1].outcome)
	}
}

// TestRulesInBatches: what comes in parts is put together, and every port counts.
func TestRulesInBatches(t *testing.T) {
	s, k := chained(t)
	for first := 0; first <= allPorts; first += 1000 {
		rec, _ := chainedRules()
		rec.Tree, rec.Next, rec.Done = uint32(objectTreeTREE_PORTS), uint64(first+1000), 0
		var rules []ruleEntry
		for port := first; port < min(first+1000, allPorts+1); port++ {
			rules = append(rules, ruleEntry{Object: uint64(port), Access: 0b10, Bits: rulePort, Level: 2})
		}
		k.rules(&rec, rules)
		if r := s.rulebook.readings[20]; r == nil || r.from != rec.Next || r.kept > rulesMax {
			t.Fatalf("after port %d: %+v", first, r)
		}
		if s.rulebook.layers[20] != nil {
			t.Fatalf("after port %d the rules are taken for all", first)
		}
	}
	s.pass.described[1].Mask |= 0b10 << testFormat.Classes[access.Net].Shift
	rec, rules := chainedRules()
	k.rules(&rec, rules)
	inner := rulesOf(s, 20)
	if inner == nil || inner.Rules != allPorts+1+3 || inner.EveryPort != 0b10 {
		t.Fatalf("rules %+v", inner)
	}
	if len(inner.Ports) != rulesMax || len(inner.Ports)+int(inner.PortsLeftOut) != allPorts+2 || inner.InodesLeftOut != 1 {
		t.Errorf("%d ports and %d others, %d files and %d others", len(inner.Ports), inner.PortsLeftOut, len(inner.Inodes), inner.InodesLeftOut)
	}
}

// TestLaunchers: who made a domain is taken with its rules, once, and goes with it.
func TestLaunchers(t *testing.T) {
	s, k := chained(t)
	rec, rules := chainedRules()
	other := rec
	launcher := func(key uint64, path string) { k.take(&launcherRecord{Key: key}, []byte(path)) }
	launcher(20, "/before the rules")
	k.rules(&rec, rules)
	launcher(20, "/inner")
	launcher(20, "/again")
	launcher(10, "/outer")
	launcher(30, "/another")
	other.Tid++
	k.rules(&other, rules)
	launcher(10, "/of another task")
	outer, inner := s.rulebook.layers[10].launcher, s.rulebook.layers[20].launcher
	if outer != "/outer" || inner != "/inner" || s.rulebook.launcherBytes != len("/outer/inner") {
		t.Errorf("launchers %q and %q, %d bytes", outer, inner, s.rulebook.launcherBytes)
	}
	s.rulebook.begin()
	s.rulebook.end()
	if s.rulebook.launcherBytes != 0 || len(s.rulebook.layers) != 0 || s.rulebook.shared.bytes != 0 {
		t.Errorf("%d bytes, %d layers are kept", s.rulebook.launcherBytes, len(s.rulebook.layers))
	}
}

// TestRulesSinkRefuses: only what is of the task as the scan found it, and is what
// follows, is taken.
func TestRulesSinkRefuses(t *testing.T) {
	for name, change := range map[string]func(*rulesRecord){
		"another task":    func(r *rulesRecord) { r.Tid++ },
		"a later task":    func(r *rulesRecord) { r.Start++ },
		"another exec":    func(r *rulesRecord) { r.ExecId++ },
		"another domain":  func(r *rulesRecord) { r.Domain++ },
		"a deeper domain": func(r *rulesRecord) { r.NumLayers = 3 },
		"an outer domain": func(r *rulesRecord) { r.NumLayers = 1 },
		"an earlier part": func(r *rulesRecord) { r.Tree, r.Next, r.Done = uint32(objectTreeTREE_PORTS), 4, 1 },
	} {
		s, k := chained(t)
		s.rulebook.readings[20].from = 5
		rec, rules := chainedRules()
		change(&rec)
		k.rules(&rec, rules)
		if s.holders[1].outcome != nothingCame || len(s.rulebook.layers) > 0 {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestWantRules: tasks are tried one after the other, and not for ever.
func TestWantRules(t *testing.T) {
	s, _ := chained(t)
	for _, tid := range []int32{17, 27, 37} {
		s.pass.add(objectTaskRecord{Tid: tid, Domain: 20})
	}
	for scan := range maxMisses + 2 {
		s.rulebook.begin()
		s.holders = []holder{{}, {num: maxHolders, tasks: [maxHolders]int32{1, 2, 3}}}
		q := s.queueRules()
		for n := range maxHolders {
			if scan >= maxMisses {
				if q.len() != 0 || q.hopeless != 1 {
					t.Fatalf("scan %d: %d domains wait, %d do not any more", scan, q.len(), q.hopeless)
				}
				continue
			}
			k := s.wantRules(q, time.Second)
			key := s.pass.record(n + 1).key()
			if place, ok := k.wanted[key]; len(k.wanted) != 1 || !ok || place != 1 || s.control.Wants[key.tid].Tid != key.tid {
				t.Fatalf("scan %d, pass %d wants %v", scan, n, k.wanted)
			}
			q.settle(s, k)
		}
		if scan < maxMisses && (q.len() != 0 || q.hopeless != 1) {
			t.Errorf("scan %d: %d domains wait, %d do not", scan, q.len(), q.hopeless)
		}
		s.rulebook.end()
	}
	s.pass.described[1].Depth = uint16(ruleLayers + 1)
	s.rulebook = newRulebook()
	s.rulebook.begin()
	if q := s.queueRules(); q.len() != 0 || q.hopeless != 1 {
		t.Errorf("too deep, but %d domains wait", q.len())
	}
}

// TestRulesInTurns: whoever has many domains, or such with many rules, does not
// keep those of others from being read; what rules are about comes first.
func TestRulesInTurns(t *testing.T) {
	s := &Source{rulebook: newRulebook(), control: &control{controlBlock: &controlBlock{}}}
	s.state.Format, s.state.Kernel.ABI = testFormat, 1
	s.pass.reset()
	add := func(tid int32, a account, rules uint32) {
		s.pass.domain(&domainRecord{Key: uint64(tid), Depth: 1, Mask: 1, NumRules: rules})
		s.pass.add(objectTaskRecord{Tid: tid, Domain: uint64(tid), Account: a.uid})
		s.holders = append(s.holders, holder{num: 1, tasks: [maxHolders]int32{int32(len(s.pass.at)) - 1}, account: a})
	}
	flooder, victim := account{uid: 1000}, account{uid: 2000}
	for i := range int32(500) {
		add(1+i, flooder, 65535)
	}
	for i := range int32(10) {
		add(601+i, victim, 10)
	}
	add(700, account{uid: 1000, favoured: true}, 10)
	s.rulebook.begin()
	q := s.queueRules()
	k := s.wantRules(q, 20*time.Millisecond)
	got := map[account]int{}
	for _, d := range k.wanted {
		got[s.holders[d].account]++
	}
	if got[victim] != 10 || got[account{1000, true}] != 1 || got[flooder] == 0 || got[flooder] > maxReadingsOfAccount {
		t.Errorf("wanted %v", got)
	}
	if q.accounts[0] != (account{1000, true}) {
		t.Errorf("%+v comes first", q.accounts[0])
	}
}
