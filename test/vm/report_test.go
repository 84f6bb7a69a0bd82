// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"errors"
	"io"
	"testing"
)

func TestSummary(t *testing.T) {
	const guest = "6.12-patched"
	r := Report{Options: Options{Out: io.Discard}}
	if r.ok() {
		t.Error("a run of nothing is ok")
	}
	r.Skipped("6.16", errors.New("not on the mirror"))
	r.add(guest, &verdict{passed: []string{"a"}})
	if !r.ok() {
		t.Errorf("%q is not ok", r.summary())
	}
	r.add(guest, &verdict{problems: []string{"x"}})
	r.add(guest, &verdict{problems: []string{"y"}})
	want := "1 ran, 1 skipped (6.16: not on the mirror), 1 failed (6.12-patched) (3 boots, 1 checks passed)"
	if r.ok() || r.summary() != want {
		t.Errorf("got %q, want %q", r.summary(), want)
	}
}

func TestFailedIsNotOK(t *testing.T) {
	r := Report{Options: Options{Out: io.Discard}}
	r.add("6.12", &verdict{})
	r.Failed("6.1", errors.New("the build broke"))
	if r.ok() {
		t.Errorf("%q is ok", r.summary())
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
