// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/kernels/verdict"
)

func TestSummary(t *testing.T) {
	g := Guest{Series: "6.12", Arch: "amd64", Patched: true}
	s := Summary{ran: []string{g.Name()}, skipped: []string{"6.16: not on the mirror"}}
	s.add(g, &verdict.Verdict{Passed: []string{"a"}})
	if !s.OK() {
		t.Errorf("%v is not OK", &s)
	}
	s.add(g, &verdict.Verdict{Problems: []string{"x"}})
	s.add(g, &verdict.Verdict{Problems: []string{"y"}})
	want := "kernels: 1 ran, 1 skipped (6.16: not on the mirror), 1 failed (6.12-patched) (3 boots, 1 checks passed)"
	if s.OK() || s.String() != want {
		t.Errorf("got %q, want %q", s.String(), want)
	}
	if (&Summary{}).OK() {
		t.Error("a run of nothing is OK")
	}
}

func TestMatrix(t *testing.T) {
	mandatory := make(map[string]bool)
	seen := make(map[string]bool)
	for _, g := range Matrix() {
		if g.Mandatory {
			mandatory[g.Name()] = true
		}
		for _, b := range g.Boots {
			name := g.Name() + "/" + b.Name
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if line := verdict.CommandLine(b.CommandLine+leftOut, b.Checks); strings.ContainsAny(line, "\"\n") || len(line) > 1000 {
				t.Errorf("%s: command line %q", name, line)
			}
		}
	}
	for _, name := range []string{"6.1", "6.12", "6.12-patched", "7.3-patched"} {
		if !mandatory[name] {
			t.Errorf("%s is not mandatory", name)
		}
	}
}
