// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
)

// attrTest is where the host puts the tests that our patches add to the kernel's own.
const attrTest = "/attr_test"

// checkAttrSelftests runs those tests. Every one must have a result, and none may be skipped,
// unless the argument "off" says that Landlock is off, which is the reason of every skip then.
func checkAttrSelftests(t *T) {
	cmd := exec.Command(attrTest)
	cmd.Dir = "/tmp"
	out, err := cmd.CombinedOutput()
	r := newResults()
	bad := r.read(out)
	failed := r.failed()
	if bad == nil && err != nil && len(failed) == 0 {
		bad = err
	}
	t.Logf("%s", out)
	t.Must(bad)
	for _, test := range failed {
		t.Errorf("%s", test)
	}
	for _, test := range slices.Sorted(maps.Keys(r.reasons)) {
		if t.Arg("off", "") == "" || r.reasons[test] != "Landlock is not enabled" {
			t.Errorf("%s was skipped: %s", test, r.reasons[test])
		}
	}
	n := r.count()
	t.Fact("attrselftests", fmt.Sprintf("%d passed, %d skipped", n[0], n[1]))
}
