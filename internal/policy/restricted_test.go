// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// What is asked for is compared with what rules leave restricted, and with what
// is handled only where they were not read.
func TestRestrictsReadsRules(t *testing.T) {
	const write, read = 1 << 1, 1 << 2
	handled := access.Rights{access.FS: write | read}
	granted := access.Rights{access.FS: read}
	for _, c := range []struct {
		name, source string
		restricted   access.Rights
		unread       bool
		restricts    string
		want         Outcome
		words        string
	}{
		{"restricted", "read", handled, false, "fs.read_file", Compliant, ""},
		{"granted everywhere", "read", handled.Without(granted), false, "fs.read_file", Violating, "fs.read_file (handled, but its rules grant that everywhere)"},
		{"not handled", "read", handled, false, "fs.execute", Violating, "not restricted in every task: fs.execute"},
		{"not read this time", "read", handled, true, "fs.read_file", Unknown, "could not be read"},
		{"not read, and not handled", "read", handled, true, "fs.execute", Violating, "fs.execute"},
		{"not read, some tasks known not to restrict", "read", handled.Without(granted), true, "fs.read_file", Violating, "fs.read_file"},
		{"handled stands in", "unread", handled, false, "fs.read_file", Compliant, ""},
		{"nothing is known of handled", "none", access.Rights{}, false, "fs.write_file", Compliant, ""},
	} {
		h := newHost()
		h.Source.Rules = c.source
		d := h.domain(-1, handled)
		h.Domains[d].Ruleset = &domainid.Ruleset{Rules: 1, Everywhere: granted}
		p := h.process(h.unit("a.service"), "/a", d)
		p.Restricted, p.RulesUnread = c.restricted, c.unread
		x, err := ParseExpect("restricts=" + c.restricts)
		if err != nil {
			t.Fatal(err)
		}
		outcome, _, words := x.Judge(h.Snapshot, p)
		if outcome != c.want || (c.words == "") != (words == "") || !strings.Contains(words, c.words) {
			t.Errorf("%s: %v, %q; want %v, %q", c.name, outcome, words, c.want, c.words)
		}
	}
}

// Whatever could not be read: no process complies that might not, and none
// violates that might comply. What was read is judged.
func TestRestrictedIsBounded(t *testing.T) {
	var outcomes [4]int
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 11))
		h := newHost()
		h.Kernel.ABI = 11
		h.Source.Rules = "read"
		var tasks []int32
		truth, upper, read := everyRight, everyRight, true
		for range 1 + r.IntN(3) {
			own := access.Rights{access.FS: r.Uint32() & 0xff, access.Net: r.Uint32() & 3, access.Scope: r.Uint32() & 3}
			rules := &domainid.Ruleset{Everywhere: access.Rights{access.FS: own[access.FS] & r.Uint32(), access.Net: own[access.Net] & r.Uint32()}}
			handled := access.Rights{access.FS: own[access.FS] | 1, access.Net: own[access.Net], access.Scope: own[access.Scope]}
			d := h.domain(-1, handled)
			h.Domains[d].Ruleset = rules
			restricted := handled.Without(rules.Everywhere)
			truth = truth.Intersect(restricted)
			if r.IntN(4) == 0 { // a task whose rules were not found
				read, restricted = false, handled
			}
			upper = upper.Intersect(restricted)
			tasks = append(tasks, d)
		}
		if r.IntN(4) == 0 {
			tasks = append(tasks, -1)
		}
		p := h.process(h.unit("a.service"), "/a", tasks...)
		p.Restricted, p.RulesUnread = upper, !read
		want := access.Rights{access.FS: r.Uint32() & r.Uint32() & 0xff, access.Net: r.Uint32() & 1}
		x := Expect{Partial: true}
		c, d := conditionOf(h.Snapshot, p, chains(h.Snapshot, nil)), demand{rights: want}
		got, _ := x.judge(&c, &d)
		outcomes[got]++
		complies := want.Without(truth) == access.Rights{}
		switch {
		case got == Compliant && !complies, got == Violating && complies, got == Unknown && read:
			t.Fatalf("seed %d: %v, but complies %v, read %v", seed, got, complies, read)
		case got == Unknown && want.Without(upper) != access.Rights{}:
			t.Fatalf("seed %d: unknown, but some task does not even handle %+v", seed, want)
		}
	}
	for _, o := range []Outcome{Compliant, Violating, Unknown} {
		if outcomes[o] < 100 {
			t.Errorf("only %d times %v: this says little", outcomes[o], o)
		}
	}
}
