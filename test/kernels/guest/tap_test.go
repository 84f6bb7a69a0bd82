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
	if err := newResults().read([]byte("1..2\n#  RUN           a ...\nok 1 a\n")); err == nil {
		t.Error("a test without a result is no error")
	}
}
