// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// checkOrder states the order of the security modules as booted, and fails if
// it is not that asked for: lsm= ignores what the kernel does not have. The
// argument is what must stand before Landlock, joined by "+".
func checkOrder(t *T) {
	var before []string
	if s := t.Arg("before", ""); s != "" {
		before = strings.Split(s, "+")
	}
	have := modules()
	t.Fact("lsm", strings.Join(have, ","))
	i := slices.Index(have, "landlock")
	if i < 0 {
		t.Fatalf("landlock is not among the enabled modules %v", have)
	}
	for _, m := range before {
		if j := slices.Index(have, m); j < 0 || j > i {
			t.Skipf("%s does not stand before landlock in %v", m, have)
		}
	}
	if t.Arg("first", "") != "" {
		// capability always is, and has no part in the credentials.
		if rest := slices.DeleteFunc(slices.Clone(have[:i]), func(m string) bool { return m == "capability" || m == "lockdown" }); len(rest) > 0 {
			t.Errorf("%v stand before landlock", rest)
		}
	}
}
