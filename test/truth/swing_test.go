// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// TestSwing scans back to back while root directories are moved between places
// that different rules are on. What a scan says must have been so at some instant.
func TestSwing(t *testing.T) {
	src := source(t, taskiter.Options{})
	first, err := src.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.Source.Rules != "read" {
		t.Skipf("rules are %s on this kernel: nothing could be wrong", first.Source.Rules)
	}
	seed := uint64(time.Now().UnixNano())
	swing, err := StartSwing(t.Context(), actor(t), seed)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := swing.Close(); err != nil {
			t.Error(err)
		}
	}()
	var sum SwingVerdict
	scans, moves := 0, 0
	// On a busy host it takes longer until anything could have been wrong.
	judged := func() bool { return sum.Steady > 0 && sum.Told > sum.Steady }
	for began := time.Now(); time.Since(began) < *swingFlag || !judged() && time.Since(began) < 10**swingFlag; scans++ {
		if moves, err = swing.Look(t.Context(), src, &sum); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d: %d scans, %d moves, %d statements, %d on roots at rest, %d changing, %d unread, %d false",
		seed, scans, moves, sum.Told, sum.Steady, sum.Changing, sum.Unread, len(sum.False))
	if sum.Changing+sum.Unread > sum.Told {
		t.Errorf("of %d it was unknown, of %d it was stated", sum.Changing+sum.Unread, sum.Told)
	}
	Fail(t.Errorf, "false", sum.False)
	if !judged() {
		t.Errorf("%d of %d statements are on roots that stood still: nothing could be wrong", sum.Steady, sum.Told)
	}
}

func TestJudgeSwing(t *testing.T) {
	in, out := Move{Before: 10, After: 12, Readable: true}, Move{Before: 20, After: 22}
	const read, write = 4, 2
	for name, c := range map[string]struct {
		granted uint32
		doubt   domainid.Doubt
		state   scan.State
		during  []Move
		want    string // told, steady, changing, unread or false
	}{
		"reads, in":            {read, 0, scan.Sandboxed, []Move{in}, "steady"},
		"writes, in":           {write, 0, scan.Sandboxed, []Move{in}, "false"},
		"reads, out":           {read, 0, scan.Sandboxed, []Move{out}, "false"},
		"writes, out":          {write, 0, scan.Sandboxed, []Move{out}, "steady"},
		"reads, moved":         {read, 0, scan.Sandboxed, []Move{in, out}, "told"},
		"writes, moved":        {write, 0, scan.Sandboxed, []Move{in, out}, "told"},
		"both":                 {read | write, 0, scan.Sandboxed, []Move{in, out}, "false"},
		"neither":              {0, 0, scan.Sandboxed, []Move{in, out}, "false"},
		"changing":             {0, domainid.RootChanging, scan.Sandboxed, []Move{in, out}, "changing"},
		"unread":               {0, domainid.RulesUnread, scan.Sandboxed, []Move{in, out}, "unread"},
		"too deep":             {0, domainid.RootTooDeep, scan.Sandboxed, []Move{in, out}, "false"},
		"not even sandboxed":   {read, 0, scan.Unsandboxed, []Move{in, out}, "false"},
		"unknown if sandboxed": {read, 0, scan.Unknown, []Move{in, out}, "false"},
	} {
		t.Run(name, func(t *testing.T) {
			view := domainid.View{Everywhere: []uint32{c.granted}, Doubt: c.doubt}
			if c.doubt != 0 {
				view.Everywhere = nil
			}
			snap := &scan.Snapshot{
				Source:    scan.SourceInfo{Rules: "read"},
				Processes: []scan.Process{{PID: 5, State: c.state, NumTasks: 1}},
				Tasks:     []scan.Task{{TID: 5, State: c.state}},
				Domains: []domainid.Domain{{
					ID: 1, Parent: domainid.Outermost, Depth: 1, Lineage: domainid.LineageKnown, Handled: access.FS.Rights(read | write),
				}},
				Views: []domainid.View{view},
			}
			v := JudgeSwing(snap, []int32{5}, c.during)
			got := [...]int{v.Told, v.Steady, v.Changing, v.Unread, len(v.False)}
			want := map[string][5]int{
				"steady": {1, 1}, "told": {1}, "changing": {2: 1}, "unread": {3: 1}, "false": {4: 1},
			}[c.want]
			if got != want {
				t.Errorf("%+v, want %s", v, c.want)
			}
		})
	}
	if v := JudgeSwing(&scan.Snapshot{}, []int32{5}, []Move{in}); len(v.False) != 1 {
		t.Errorf("%+v of a process that is not there", v)
	}
}

func TestMovesInEffect(t *testing.T) {
	s := Swing{moves: []Move{{Readable: true}, {Before: 10, After: 12}, {Before: 20, After: 22, Readable: true}, {Before: 30, After: 1 << 63}}}
	for _, c := range []struct {
		from, to uint64
		want     int // how many of them
	}{{1, 9, 1}, {1, 10, 2}, {11, 11, 2}, {12, 12, 2}, {13, 19, 1}, {13, 20, 2}, {5, 40, 4}, {23, 29, 1}, {31, 40, 2}} {
		if total, during := s.Moves(c.from, c.to); len(during) != c.want || total != 3 {
			t.Errorf("from %d to %d: %d of %d moves, want %d", c.from, c.to, len(during), total, c.want)
		}
	}
}
