// SPDX-License-Identifier: Apache-2.0

package plural

import "testing"

func TestPlural(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0, "rule"), "0 rules"},
		{Count(1, "rule"), "1 rule"},
		{Count(1, "process"), "1 process"},
		{Count(2, "process"), "2 processes"},
		{Count(2, "child"), "2 children"},
		{First([]string{"a", "b"}, 2), "a, b"},
		{First([]string{"a", "b", "c", "d"}, 2), "a, b and 2 more"},
		{First([]int32{7, 8, 9, 10}, 2), "7, 8 and 2 more"},
		{First([]string(nil), 2), ""},
		{Are(1, "process"), "1 process is"},
		{Are(0, "workload"), "0 workloads are"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
