// SPDX-License-Identifier: Apache-2.0

package confine

import "testing"

// TestAnd: what does not hold for one of two processes does not hold for both; what the
// other one is meant to keep is no failure of this one, and hides none.
func TestAnd(t *testing.T) {
	both := func(one, other Reason) Reason {
		return Status{Landlock: one}.And(Status{Landlock: other})[Landlock]
	}
	for _, c := range []struct{ one, other, want Reason }{
		{Holds, Holds, Holds},
		{Holds, Kept, Holds},
		{Holds, ReadBack, ReadBack},
		{Holds, Unread, Unread},
		{Kept, Holds, Kept},
		{Kept, Root, Root},
		{Refused, Kept, Refused},
		{Refused, ReadBack, Refused},
	} {
		if got := both(c.one, c.other); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.one, c.other, got, c.want)
		}
	}
}
