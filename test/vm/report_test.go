// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"cmp"
	"errors"
	"io"
	"testing"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

func TestSummary(t *testing.T) {
	const guest = "6.12-patched"
	r := Report{Options: Options{Out: io.Discard}}
	if r.ok() {
		t.Error("a run of nothing is ok")
	}
	r.Skipped("6.16", errors.New("not on the mirror"))
	r.add(guest, &verdict{passed: []string{"a"}}, false)
	if !r.ok() {
		t.Errorf("%q is not ok", r.summary())
	}
	r.add(guest, &verdict{problems: []string{"x"}}, false)
	r.add(guest, &verdict{problems: []string{"y"}}, false)
	want := "1 ran, 1 skipped (6.16: not on the mirror), 1 failed (6.12-patched) (3 boots, 1 checks passed)"
	if r.ok() || r.summary() != want {
		t.Errorf("got %q, want %q", r.summary(), want)
	}
}

func TestFailedIsNotOK(t *testing.T) {
	r := Report{Options: Options{Out: io.Discard}}
	r.add("6.12", &verdict{}, false)
	r.Failed("6.1", errors.New("the build broke"))
	if r.ok() {
		t.Errorf("%q is ok", r.summary())
	}
}

// What failed while the guest was too slow is tried once more, and then counts.
func TestTooSlow(t *testing.T) {
	slow := protocol.Line{Kind: protocol.Fact, Check: "a", Key: protocol.TooSlow, Text: "1 left out"}
	for name, c := range map[string]struct {
		lines             []protocol.Line
		kernel            protocol.Status
		last, again, isOK bool
	}{
		"failed":            {lines: []protocol.Line{result("a", protocol.Fail)}},
		"failed, slow":      {lines: []protocol.Line{slow, result("a", protocol.Fail)}, again: true},
		"another one, too":  {lines: []protocol.Line{slow, result("a", protocol.Fail)}, kernel: protocol.Fail},
		"again":             {lines: []protocol.Line{slow, result("a", protocol.Fail)}, last: true},
		"slow but all well": {lines: []protocol.Line{slow, result("a", protocol.OK)}, isOK: true},
	} {
		c.kernel = cmp.Or(c.kernel, protocol.OK)
		r := Report{Options: Options{Out: io.Discard}}
		again := r.add("6.12", judge(outcome{lines: append(c.lines, result("kernel", c.kernel))}, nil, []string{"a", "kernel"}), c.last)
		if again != c.again || r.ok() != c.isOK {
			t.Errorf("%s: again %t, ok %t", name, again, r.ok())
		}
	}
}

func TestPattern(t *testing.T) {
	var p Pattern
	if !p.Matches("6.12") {
		t.Error("an empty pattern does not match")
	}
	if err := p.Set("6.1|7.3.*"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"6.1": true, "6.12": false, "16.1": false, "7.3-arm64": true} {
		if p.Matches(name) != want {
			t.Errorf("%s matches %s: %t", p.String(), name, !want)
		}
	}
	if p.Set("(") == nil {
		t.Error("( is taken for a regular expression")
	}
}
