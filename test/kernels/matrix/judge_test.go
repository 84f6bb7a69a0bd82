// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/kernels/protocol"
	"github.com/landlockd/landlockd/test/kernels/qemu"
)

func result(check string, status protocol.Status) protocol.Line {
	return protocol.Line{Kind: protocol.Result, Check: check, Key: string(status), Text: "text"}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name     string
		lines    []protocol.Line
		err      error
		problems []string
	}{
		{"all well", []protocol.Line{result("a", protocol.OK), result("b", protocol.Skip)}, nil, nil},
		{"one failed", []protocol.Line{result("a", protocol.Fail), result("b", protocol.OK)}, nil, []string{"a: text"}},
		{"one silent", []protocol.Line{result("a", protocol.OK)}, nil, []string{"b: no result"}},
		{"unknown word", []protocol.Line{result("a", "fine"), result("b", protocol.OK)}, nil, []string{"a: text"}},
		{"no end", []protocol.Line{result("a", protocol.OK), result("b", protocol.OK)}, errors.New("no end"), []string{"no end"}},
		{"nothing", nil, nil, []string{"a: no result", "b: no result"}},
	} {
		v := judge(qemu.Outcome{Lines: c.lines}, c.err, []string{"a:x=1", "b"})
		if !slices.Equal(v.problems, c.problems) || v.ok() != (c.problems == nil) {
			t.Errorf("%s: problems %q, want %q", c.name, v.problems, c.problems)
		}
	}
}

func TestSummary(t *testing.T) {
	g := Guest{Series: "6.12", Arch: "amd64", Patched: true}
	s := Summary{ran: []string{g.Name()}, skipped: []string{"6.16: not on the mirror"}}
	s.add(g, &verdict{passed: []string{"a"}})
	if !s.OK() {
		t.Errorf("%v is not OK", &s)
	}
	s.add(g, &verdict{problems: []string{"x"}})
	s.add(g, &verdict{problems: []string{"y"}})
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
			if line := commandLine(b.CommandLine, b.Checks); strings.ContainsAny(line, "\"\n") || len(line) > 1000 {
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
