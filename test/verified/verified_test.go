// SPDX-License-Identifier: Apache-2.0

package verified

import "testing"

// TestBounds: on a kernel that was measured the margin, on others twice the most.
func TestBounds(t *testing.T) {
	recorded := []count{{"6.12", "scan", 1000}, {"6.18", "scan", 2000}, {"6.18", "rules", 9000}}
	for _, c := range []struct {
		series      string
		least, most float64
	}{{"6.12", 800, 1200}, {"6.18", 1600, 2400}, {"7.3", 0, 4000}} {
		if least, most := bounds(recorded, count{Series: c.series, Program: "scan"}); least != c.least || most != c.most {
			t.Errorf("Linux %s: %v to %v, want %v to %v", c.series, least, most, c.least, c.most)
		}
	}
	if _, most := bounds(recorded, count{Series: "6.18", Program: "new"}); most != 0 {
		t.Errorf("a program that is not recorded may take %v", most)
	}
}
