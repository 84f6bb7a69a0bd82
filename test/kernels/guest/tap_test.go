// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

// tapSample has a test of each outcome; that of the skipped one is as Linux 6.1 prints it.
const tapSample = `TAP version 13
1..3
# Starting 3 tests from 2 test cases.
#  RUN           global.a ...
#            OK  global.a
ok 1 global.a
#  RUN           layout.v.b ...
# fs_test.c:1:b:Expected 0 (0) == 1 (1)
# b: Test terminated by assertion
#          FAIL  layout.v.b
not ok 2 layout.v.b
#  RUN           layout.c ...
#      SKIP      no module
#            OK  layout.c
ok 3 # SKIP no module
# FAILED: 2 / 3 tests passed.
# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0
`

func TestTAP(t *testing.T) {
	alone, beside := newResults(), newResults()
	for _, r := range []*results{alone, beside} {
		if err := r.read([]byte(tapSample)); err != nil {
			t.Fatal(err)
		}
	}
	if n := alone.count(); n != [3]int{1, 1, 1} {
		t.Errorf("counts are %v", n)
	}
	if d := differing(alone, beside); d != nil {
		t.Errorf("%q differ", d)
	}
	beside.tests["global.a"][failed]++
	if d, u := differing(alone, beside), unsteady(alone, beside); d != nil || !slices.Equal(u, []string{"global.a"}) {
		t.Errorf("%q differ, and %q are unsteady", d, u)
	}
	delete(beside.tests["global.a"], passed)
	delete(beside.tests, "layout.c")
	if d := differing(alone, beside); !slices.Equal(d, []string{"global.a", "layout.c"}) {
		t.Errorf("%q differ", d)
	}
	if reason := alone.reasons["layout.c"]; reason != "no module" {
		t.Errorf("it was skipped for %q", reason)
	}
	if f := alone.failed(); len(f) != 1 {
		t.Errorf("%q failed", f)
	}
	const plan, a, b, c = "1..3\n", "#  RUN           a ...\nok 1 a\n", "#  RUN           b ...\nok 2 b\n", "#  RUN           c ...\nok 3 c\n"
	if err := newResults().read([]byte(plan + a + b + c)); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{
		"", a, plan, plan + a + b, plan + a + c + b, plan + a + b + c + "#  RUN           d ...\nok 4 d\n", "1..1\nok 1 a\n",
	} {
		if err := newResults().read([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for whole", wrong)
		}
	}
}
