// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// TestAncestors: what a launcher started, however far down, and nothing else.
func TestAncestors(t *testing.T) {
	h := newHost()
	w := h.unit("a.service")
	add := func(ppid int32, exe string) *scan.Process {
		p := h.process(w, exe, -1)
		p.PPID = ppid
		return p
	}
	add(1, "/usr/bin/firejail")                        // 10
	add(10, "/bin/sh")                                 // 11
	add(11, "/usr/bin/app")                            // 12
	add(1, "/usr/bin/app")                             // 13
	add(1, "/home/u/firejail").ExeOrigin = scan.OfUser // 14
	add(14, "/usr/bin/app")                            // 15
	add(1, "/usr/bin/firejail").ExeOrigin = scan.OfUser
	add(16, "/usr/bin/app")  // 17, below what is only called so
	add(900, "/usr/bin/app") // 18, of a parent that is not known
	add(18, "/usr/bin/app")  // 19
	add(0, "/usr/bin/app")   // 20
	add(1, "/usr/"+strings.Repeat("d", scan.CutPath)).ExeCut = true
	add(21, "/usr/bin/app")                                    // 22, below a path that is cut
	add(22, "/usr/bin/firejail").Start = 600 * second          // 23
	add(23, "/usr/bin/app")                                    // 24, whose PID's bearer is younger
	add(1, "/usr/bin/firejail").ExeOrigin = scan.OriginUnknown // 25
	add(25, "/usr/bin/app")                                    // 26
	h.Processes[13].PPID = 24                                  // 23 and 24: each above the other
	e := New(load(t, `
rules:
- {name: a, match: {ancestor_exe: [/usr/bin/firejail]}}
- {name: b, match: {ancestor_exe: ["/usr/**"], exe: [/usr/bin/app]}}
- {name: c, match: {unit: [a.service]}, except: [{ancestor_exe: ["**/firejail"], mntns: any}]}
`), Options{})
	want := map[int32]string{
		10: "no no yes", 11: "yes no no", 12: "yes yes no", 13: "no no yes", 15: "no no no", 17: "no no no",
		18: "unknown unknown unknown", 19: "unknown yes unknown", 20: "no no yes", 22: "no yes unknown",
		24: "unknown unknown unknown", 26: "unknown unknown no",
	}
	for pid, w := range want {
		var got []string
		for _, x := range e.Explain(h.Snapshot, h.Find(pid)) {
			got = append(got, x.Applies.String())
			if x.Applies == access.Unknown && !strings.Contains(x.Why, "known") {
				t.Errorf("pid %d: %s", pid, x.Why)
			}
		}
		if strings.Join(got, " ") != w {
			t.Errorf("pid %d: %v, want %s", pid, got, w)
		}
	}
	r := e.Evaluate(h.Snapshot)
	if got := r.rule("a").Processes; got != [NumResults]int{0, 2, 0, 1} {
		t.Errorf("a: %v", got)
	}
	if allocs := testing.AllocsPerRun(20, func() { e.above.begin(h.Snapshot); e.above.of(h.Snapshot, 2) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestAncestorsForget: users who start programs below each other in ever new ways do not
// make what is kept grow.
func TestAncestorsForget(t *testing.T) {
	const rules, snapshots, length = 16, 2_000, 8
	text := strings.Builder{}
	text.WriteString("rules:\n")
	for i := range rules {
		fmt.Fprintf(&text, "- {name: r%d, match: {ancestor_exe: [/usr/bin/p%d]}}\n", i, i)
	}
	e := New(load(t, text.String()), Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range snapshots {
		h := newHost()
		w := h.unit("a.service")
		for i := range length {
			p := h.process(w, fmt.Sprintf("/usr/bin/p%d", rnd.IntN(rules)), -1)
			if i > 0 {
				p.PPID = h.Processes[i-1].PID
			}
		}
		h.process(w, "/bin/sh", -1).PPID = h.Processes[length-1].PID
		e.Evaluate(h.Snapshot)
		if kept := len(e.above.words) + len(e.above.ofExe) + len(e.above.most); kept > 2*slack {
			t.Fatalf("after %d snapshots of %d processes: %d things are kept", n, length+1, kept)
		}
	}
}

// TestAncestorsDeep: neither a long line of processes nor many of them take more than
// one step each.
func TestAncestorsDeep(t *testing.T) {
	h := newHost()
	w := h.unit("a.service")
	const n = 50_000
	for i := range int32(n) {
		p := h.process(w, "/bin/sh", -1)
		if p.PPID = 9 + i; i == 0 {
			p.PPID, p.Exe = 1, "/usr/bin/firejail"
		}
	}
	r := evaluate(t, "rules: [{name: a, match: {ancestor_exe: [/usr/bin/firejail]}}]", h).rule("a")
	if r.Processes[Violating] != n-1 {
		t.Errorf("%v", r.Processes)
	}
}
