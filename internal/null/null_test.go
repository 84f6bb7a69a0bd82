// SPDX-License-Identifier: Apache-2.0

package null

import "testing"

func TestNull(t *testing.T) {
	for _, v := range []int{-1, 0, 7} {
		p := Unless(v, -1)
		if (p == nil) != (v == -1) || Or(p, -1) != v {
			t.Errorf("%d becomes %v", v, p)
		}
	}
}
