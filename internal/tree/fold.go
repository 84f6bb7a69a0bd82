// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// fewest is how many equal siblings become one line.
const fewest = 3

// kin is what equal siblings have in common.
type kin struct {
	parent, domain, workload int32
	comm                     scan.Comm
	exe                      string
	exeOrigin                scan.Origin
	state                    scan.State
	reason                   scan.Reason
	depth                    uint16
	uid                      uint32
	ineffective              access.Answer
}

// fold returns for how many processes each one's line stands: 0 for those that stand in
// another's. Of equal siblings without shown children the first in order has a line.
func (t *treeWriter) fold(order []int32, keep, hasChild []bool) []int {
	folds := make([]int, len(order))
	first, groups := map[kin]int32{}, map[int32][]int32{}
	for _, p := range order {
		folds[p] = 1
		if !t.o.Fold || !keep[p] || hasChild[p] || !t.plain(p) {
			continue
		}
		k := t.kin(p)
		if _, found := first[k]; !found {
			first[k] = p
		}
		groups[first[k]] = append(groups[first[k]], p)
	}
	for p, all := range groups {
		if len(all) < fewest {
			continue
		}
		for _, other := range all {
			folds[other] = 0
		}
		folds[p] = len(all)
	}
	return folds
}

// plain reports whether one line has all that there is of a process.
func (t *treeWriter) plain(i int32) bool {
	p := &t.s.Processes[i]
	return !t.facts.Read(i).Differ && !p.UIDsDiffer && t.s.OutsideWorker(p) == access.No
}

func (t *treeWriter) kin(i int32) kin {
	p := &t.s.Processes[i]
	return kin{
		parent: t.forest.Parent(i), domain: t.domain[i], workload: p.Workload, comm: p.Comm,
		exe: p.Exe, exeOrigin: p.ExeOrigin, state: p.State, reason: p.Reason, depth: p.Depth,
		uid: p.UID, ineffective: t.s.Ineffective(p),
	}
}

// times is the note of a line that stands for so many processes.
func (o Options) times(n int) string {
	switch {
	case n <= 1:
		return ""
	case o.ASCII:
		return " x" + strconv.Itoa(n)
	default:
		return " ×" + strconv.Itoa(n)
	}
}
