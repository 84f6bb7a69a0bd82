// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

func treeText(t *testing.T, s *scan.Snapshot, o Options) string {
	t.Helper()
	var b strings.Builder
	if err := Tree(&b, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// forked is a server whose workers are alike, but for one that is outside of its domain and one
// that is nested in it.
func forked(workers int32) *hosts.Host {
	h := hosts.New()
	a := h.Domain(0xa0000000a, domainid.Outermost)
	b := h.Domain(0xb0000000b, a)
	h.Process(10, 0, "postgres", hosts.In(a))
	h.Process(11, 10, "logger", hosts.Free())
	h.Process(12, 10, "nested", hosts.In(b))
	for pid := int32(13); pid < 13+workers; pid++ {
		h.Process(pid, 10, "postgres", hosts.In(a))
	}
	h.Process(100_000, 10, "postgres", hosts.In(b))
	h.Conclude()
	return h
}

// TestDomainsBeginAndEnd: where they do, what is nested in them, and who stands outside.
func TestDomainsBeginAndEnd(t *testing.T) {
	want := `PID     STATE        DEPTH  DOMAIN         COMMAND
10      sandboxed    1      a0000000a  ─   postgres
11      unsandboxed  0      -              ├─logger [outside]
12      sandboxed    2      b0000000b  ┌─  ├─nested
13      sandboxed    1      a0000000a  │   ├─postgres ×180
100000  sandboxed    2      b0000000b  └─  └─postgres
184 processes: 183 sandboxed, 0 partial, 1 unsandboxed, 0 unknown; 2 domains; deepest 2
`
	if got := treeText(t, &forked(180).Snapshot, Options{Fold: true}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	ascii := treeText(t, &forked(180).Snapshot, Options{Fold: true, Style: table.Style{ASCII: true}})
	if !strings.Contains(ascii, " postgres x180\n") && !strings.Contains(ascii, "postgres x180\n") || strings.ContainsFunc(ascii, func(r rune) bool { return r > '~' }) {
		t.Error(ascii)
	}
}

// TestManyEqualChildren: however many there are, they are one row; what is not alike is none of
// them, and unfolded each has a row.
func TestManyEqualChildren(t *testing.T) {
	h := forked(10_000)
	if got := treeText(t, &h.Snapshot, Options{Fold: true, All: true}); !strings.Contains(got, "postgres ×10000\n") || strings.Count(got, "\n") != 7 {
		t.Errorf("%.2000s", got)
	}
	if n := strings.Count(treeText(t, &h.Snapshot, Options{All: true}), "\n"); n != len(h.Processes)+2 {
		t.Errorf("%d lines", n)
	}
	if got := treeText(t, &forked(fewest-1).Snapshot, Options{Fold: true}); strings.Contains(got, "×") {
		t.Error(got)
	}
	if n := len(Shown(&h.Snapshot, Options{Fold: true})); n != len(h.Processes) {
		t.Errorf("%d processes in JSON", n)
	}
}

// TestFoldLosesNone: what lines stand for, and what is not shown, is all there is.
func TestFoldLosesNone(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 200 {
		h := hosts.RandomNames(r, r.IntN(60))
		for i := range h.Processes { // so that some are alike
			h.Processes[i].Comm, h.Processes[i].Exe = scan.Comm{'x'}, ""
		}
		for _, o := range []Options{{Fold: true}, {Fold: true, All: true}} {
			w := newTreeWriter(&h.Snapshot, o)
			_, hidden := w.layOut()
			n := hidden.Total()
			for _, folded := range w.folded {
				n += folded
			}
			if n != len(h.Processes) {
				t.Fatalf("%d of %d processes", n, len(h.Processes))
			}
		}
	}
}

// TestTreeFits: lines stay within a terminal of 80 columns, and of more where there are more.
func TestTreeFits(t *testing.T) {
	h := forked(1)
	for pid := int32(200_001); pid < 200_040; pid++ { // deep
		parent := pid - 1
		if pid == 200_001 {
			parent = 10
		}
		h.Process(pid, parent, "chain", hosts.In(1)).Exe = "/usr/lib/" + strings.Repeat("long/", 30)
	}
	for _, s := range []*scan.Snapshot{&h.Snapshot, &hosts.Shells().Snapshot, &hosts.Mixed().Snapshot} {
		for _, width := range []int{80, 120, 200} {
			for _, wide := range []bool{false, true} {
				if wide && width < 120 {
					continue
				}
				text := treeText(t, s, Options{All: true, Wide: wide, Style: table.Style{Width: width}})
				rows, _, _ := strings.Cut(text, " processes: ")
				for line := range strings.Lines(rows) {
					line = strings.TrimSuffix(line, "\n")
					if n := untrusted.Columns(line); n > width && !strings.Contains(line, "workloads: ") {
						t.Errorf("%d columns of %d: %s", n, width, line)
					}
				}
			}
		}
	}
}

// TestFilteredTree: what a filter keeps stands below its ancestors; with Descendants all that
// is below it is shown, too.
func TestFilteredTree(t *testing.T) {
	h := hosts.Shells()
	keep := (&Filter{PIDs: []int32{2350}}).Of(&h.Snapshot)
	for _, c := range []struct {
		o    Options
		want []int32
	}{
		{Options{Keep: keep}, []int32{1, 812, 2290, 2301, 2350}},
		{Options{Keep: keep, Descendants: true}, []int32{1, 812, 2290, 2301, 2350, 2377, 2390}},
	} {
		var got []int32
		for _, i := range Shown(&h.Snapshot, c.o) {
			got = append(got, h.Processes[i].PID)
		}
		if len(got) != len(c.want) || got[len(got)-1] != c.want[len(c.want)-1] {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

// Equal siblings are one row below their domain, too, and nobody else is counted as one.
func TestDomainsFold(t *testing.T) {
	var b strings.Builder
	if err := Domains(&b, &forked(10_000).Snapshot, Options{Fold: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "│ └─13 postgres ×10000\n") || strings.Count(b.String(), "postgres") != 3 {
		t.Errorf("%s", &b)
	}
}

// Lines of domains and of counts are broken between words where they are too long.
func TestDomainsFit(t *testing.T) {
	var b strings.Builder
	if err := Domains(&b, &hosts.Mixed().Snapshot, Options{Style: table.Style{Width: 60}}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := untrusted.Columns(strings.TrimSuffix(line, "\n")); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	const want = "\ndomain 300000003  depth 1, outermost, handles 2 rights, 4\n" +
		"│   rules, 0 denials; 2 processes\n├─450 idle"
	if !strings.Contains(b.String(), want) {
		t.Errorf("want %s in\n%s", want, &b)
	}
}

// TestNothingSandboxed: then it is said what to do next.
func TestNothingSandboxed(t *testing.T) {
	h := hosts.New()
	h.Process(1, 0, "init", hosts.Free())
	text := treeText(t, &h.Snapshot, Options{})
	for _, want := range []string{"Not shown: 1 process", "Nothing is known to be sandboxed here", "setpriv ", "landlockd doctor"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if text := treeText(t, &hosts.Shells().Snapshot, Options{}); strings.Contains(text, "Nothing is") {
		t.Error(text)
	}
}
