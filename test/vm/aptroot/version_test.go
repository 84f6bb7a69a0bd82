// SPDX-License-Identifier: Apache-2.0

package aptroot

import "testing"

func TestCompareVersions(t *testing.T) {
	ascending := []string{
		"6.1.170-3", "6.1.176-1~bpo11+1", "6.1.176-1", "6.12.94-1", "6.12.107-1",
		"7.2.13-1", "7.3~rc7-1~exp1", "7.3-1", "7.3.4-1~bpo13+1", "7.3.4-1", "7.3.4-1+b1", "1:1.0-1",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := CompareVersions(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("CompareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
}
