// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// TestExeSets: a set has those that came last, whatever else is in others.
func TestExeSets(t *testing.T) {
	c := &control{controlBlock: &controlBlock{}}
	random := rand.New(rand.NewPCG(1, 2))
	inSet := map[uint32][]int32{} // the last that came first
	of := func(pid int32) *scan.Process { return &scan.Process{PID: pid, Start: uint64(pid) * 2} }
	for range 20_000 {
		pid := int32(random.IntN(3)*977 + random.IntN(2*exeWays)*int(exeSets) + 1)
		is := uint32(pid) % exeSets
		mine := slices.DeleteFunc(inSet[is], func(other int32) bool { return other == pid })
		if random.IntN(4) == 0 {
			c.forget(of(pid))
		} else {
			c.know(of(pid))
			mine = slices.Insert(mine, 0, pid)
		}
		inSet[is] = mine[:min(len(mine), exeWays)]
		want := [exeWays]uint32{}
		for i, pid := range inSet[is] {
			want[i] = exeTag(uint64(pid)*2, 0)
		}
		if set, _ := c.exesOf(of(pid)); *set != want {
			t.Fatalf("behind %d: %x, want %x", pid, *set, want)
		}
	}
}
