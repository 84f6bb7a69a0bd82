// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/landlockd/landlockd/access"
)

// chained is a source that found one task, in a domain nested in another.
func chained() (*Source, map[taskKey]int32) {
	s := &Source{rulebook: newRulebook()}
	s.state.Format, s.state.Kernel.ABI = testFormat, 1
	s.pass.reset()
	s.pass.domain(domainRecord{key: 10, depth: 1, mask: 0b0110})
	s.pass.domain(domainRecord{key: 20, depth: 2, parent: 10, mask: 0b1010})
	s.pass.tasks = []taskRecord{{tid: 7, start: 8, exec: 9, domain: 20, root: 5}}
	s.rulebook.begin()
	s.pass.tasks[0].view = s.rulebook.see(viewKey{20, 5}, 0)
	return s, map[taskKey]int32{{7, 8, 9}: 0}
}

func chainedRules() rulesRecord {
	r := rulesRecord{task: taskKey{7, 8, 9}, root: 5, numLayers: 2}
	r.layers[0] = layerEntry{key: 10, everywhere: ^uint32(0b0100)}
	r.layers[1] = layerEntry{key: 20, everywhere: ^uint32(0b1010), inodes: 1}
	return r
}

func TestRulesSink(t *testing.T) {
	s, wanted := chained()
	rec := chainedRules()
	(&rulesSink{source: s, wanted: wanted}).rules(&rec)
	got, read := s.rulebook.restricted(s.pass.tasks[0].view)
	if want := (access.Rights{access.FS: 0b1110}); !read || got != want {
		t.Errorf("restricts %+v (%v), want %+v", got, read, want)
	}
	outer, _ := s.rulebook.of(10)
	inner, _ := s.rulebook.of(20)
	if outer == nil || outer.Everywhere[access.FS] != 0b0010 || inner == nil || inner.Everywhere[access.FS] != 0 || inner.InodesLeftOut != 1 {
		t.Errorf("rules %+v and %+v", outer, inner)
	}
}

// TestLaunchers: who made a domain is taken with its rules, once, and goes with it.
func TestLaunchers(t *testing.T) {
	s, wanted := chained()
	rec, other := chainedRules(), chainedRules()
	k := rulesSink{source: s, wanted: wanted}
	k.launcher(20, []byte("/before the rules"))
	k.rules(&rec)
	k.launcher(20, []byte("/inner"))
	k.launcher(20, []byte("/again"))
	k.launcher(10, []byte("/outer"))
	k.launcher(30, []byte("/another"))
	other.task.tid++
	k.rules(&other)
	k.launcher(10, []byte("/of another task"))
	_, outer := s.rulebook.of(10)
	_, inner := s.rulebook.of(20)
	if outer != "/outer" || inner != "/inner" || s.rulebook.launcherBytes != len("/outer/inner") {
		t.Errorf("launchers %q and %q, %d bytes", outer, inner, s.rulebook.launcherBytes)
	}
	s.rulebook.begin()
	s.rulebook.end()
	if s.rulebook.launcherBytes != 0 || len(s.rulebook.layers) != 0 {
		t.Errorf("%d bytes, %d layers are kept", s.rulebook.launcherBytes, len(s.rulebook.layers))
	}
}

// TestRulesSinkRefuses: what is not of the task as the scan found it is not
// taken for it.
func TestRulesSinkRefuses(t *testing.T) {
	for name, change := range map[string]func(*rulesRecord){
		"another task":         func(r *rulesRecord) { r.task.tid++ },
		"a later task":         func(r *rulesRecord) { r.task.start++ },
		"another exec":         func(r *rulesRecord) { r.task.exec++ },
		"another root":         func(r *rulesRecord) { r.root++ },
		"a deeper domain":      func(r *rulesRecord) { r.numLayers, r.layers[2].key = 3, 30 },
		"an outer domain":      func(r *rulesRecord) { r.numLayers = 1 },
		"too many layers":      func(r *rulesRecord) { r.numLayers = 17 },
		"another domain":       func(r *rulesRecord) { r.layers[1].key++ },
		"another outer domain": func(r *rulesRecord) { r.layers[0].key++ },
		"more than was walked": func(r *rulesRecord) { r.bits = rulesUnfinished },
	} {
		s, wanted := chained()
		rec := chainedRules()
		change(&rec)
		(&rulesSink{source: s, wanted: wanted}).rules(&rec)
		if got, read := s.rulebook.restricted(s.pass.tasks[0].view); read || len(s.rulebook.layers) > 0 {
			t.Errorf("%s: restricts %+v", name, got)
		}
	}
}

// TestWantRules: tasks are tried one after the other, and not for ever.
func TestWantRules(t *testing.T) {
	s, _ := chained()
	s.control = &control{controlBlock: &controlBlock{}}
	s.pass.tasks = append(s.pass.tasks, taskRecord{tid: 17, domain: 20, root: 5}, taskRecord{tid: 27, domain: 20, root: 5}, taskRecord{tid: 37, domain: 20, root: 5})
	for scan := range maxRuleScans + 2 {
		if scan > 0 {
			s.rulebook.begin()
			s.rulebook.see(viewKey{20, 5}, 0)
		}
		for i := 1; i < len(s.pass.tasks); i++ {
			s.rulebook.see(viewKey{20, 5}, int32(i))
		}
		for n := range maxRulePasses {
			wanted := s.wantRules(n)
			if scan >= maxRuleScans {
				if wanted != nil {
					t.Fatalf("scan %d still wants %v", scan, wanted)
				}
				continue
			}
			key := s.pass.tasks[n].key()
			if place, ok := wanted[key]; len(wanted) != 1 || !ok || int(place) != n || s.control.wanted[key.tid/8]>>(key.tid%8)&1 != 1 {
				t.Fatalf("scan %d, pass %d wants %v", scan, n, wanted)
			}
		}
		s.rulebook.end()
	}
	s.pass.described[1].depth = ruleLayers + 1
	s.rulebook = newRulebook()
	s.rulebook.begin()
	s.rulebook.see(viewKey{20, 5}, 0)
	if wanted := s.wantRules(0); wanted != nil {
		t.Errorf("too deep, but wants %v", wanted)
	}
}
