// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"sync/atomic"
	"time"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// cells returns what is pending. Cells of the kernel can be alike here: numbers of
// executables and of ages are not shown.
func (r *Reader) cells() []runs.Cell {
	out := make([]runs.Cell, 0, len(r.pending))
	index := make(map[runs.Key]int, len(r.pending))
	add := func(k runs.Key, e ended) {
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, runs.Cell{Key: k})
		}
		out[i].Count += e.count
		if e.last.End >= out[i].Last.End {
			out[i].Last = e.last
		}
	}
	for k, e := range r.pending {
		add(r.key(k), e)
	}
	for kind := range r.other {
		for state := range r.other[kind] {
			now := atomic.LoadUint64(&r.control.Other[kind][state])
			if now == r.other[kind][state] {
				continue
			}
			add(runs.Key{Kind: runs.Kind(kind), State: scan.State(state), UID: scan.NoUser, Folded: true},
				ended{count: now - r.other[kind][state]})
			r.other[kind][state] = now
		}
	}
	return out
}

// key returns what the kernel's key stands for.
func (r *Reader) key(k cellKey) runs.Key {
	key := runs.Key{
		Kind: runs.Kind(k.Kind), State: scan.State(k.State), Depth: k.Depth,
		CgroupID: k.Cgroup, CgroupV1ID: k.CgroupV1,
		Cgroup:   r.groups[nameKey{id: k.Cgroup}].path,
		CgroupV1: r.groups[nameKey{k.CgroupV1, true}].path,
		MinAge:   r.minAge(k), PID: int32(k.Pid), Start: k.Start, Folded: k.Folded != 0,
		UID: scan.NoUser,
	}
	if key.Folded {
		return key
	}
	key.UID, key.Comm = k.Uid, k.Comm
	key.ParentCgroup = r.groups[nameKey{id: k.Parent}].path
	if key.State == scan.Sandboxed || key.State == scan.Partial {
		key.Handled = r.state.Layout.Rights(k.Handled)
	}
	key.Exe, key.ExeOrigin, key.ExeCut, key.ExeDeleted = r.executable(k.Exe)
	return key
}

func (r *Reader) minAge(k cellKey) time.Duration {
	ages := r.ages[k.Asked]
	if k.Age == 0 || int(k.Age) > len(ages) {
		return 0
	}
	return ages[k.Age-1]
}

// executable returns what is known of one by its number.
func (r *Reader) executable(number uint64) (path string, origin scan.Origin, cut, deleted bool) {
	is, ok := r.exes[nameKey{id: number}]
	if number == 0 || !ok {
		return "", scan.OriginUnknown, false, false
	}
	origin, deleted = taskiter.ExeOrigin(is.bits)
	return is.path, origin, is.path == "", deleted
}
