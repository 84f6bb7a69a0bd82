// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"slices"
	"testing"
)

// What a record in a table may show; the first is of the leader.
type is uint8

const (
	in is = 1 << iota
	gone
	worker
	torn
)

// rec makes records of one process of n threads, ascending by TID.
func rec(threads int32, kinds ...is) []taskRecord {
	rs := make([]taskRecord, len(kinds))
	for i, k := range kinds {
		r := taskRecord{objectTaskRecord: objectTaskRecord{
			Tid: int32(10 + i), Pid: 10, NrThreads: threads, Start: uint64(100 + i), ExecId: 1, Exits: 5,
		}}
		if i == 0 {
			r.Bits |= taskLeader
		}
		if k&in != 0 {
			r.Domain = 7
		}
		if k&gone != 0 {
			r.ExitState = 16
		}
		if k&worker != 0 {
			r.Flags = pfIOWorker
		}
		if k&torn != 0 {
			r.Bits |= taskTorn
		}
		rs[i] = r
	}
	return rs
}

// with changes one record.
func with(rs []taskRecord, i int, f func(*taskRecord)) []taskRecord {
	f(&rs[i])
	return rs
}

// What was read of tasks before.
var (
	wasIn     = fact{domain: 7}
	wasExited = fact{exited: true}
)

func TestJudgeRules(t *testing.T) {
	const free is = 0
	// The facts of an earlier read of those of rec's tasks.
	before := func(f map[int]fact) known {
		k := known{}
		for i, v := range f {
			k[taskKey{int32(10 + i), uint64(100 + i), 1}] = v
		}
		return k
	}
	for _, c := range []struct {
		name    string
		records []taskRecord
		known   known
		want    verdict
	}{
		{"one free", rec(1, free), nil, unsandboxed},
		{"one sandboxed", rec(1, in), nil, sandboxed},
		{"all free", rec(3, free, free, free), nil, unsandboxed},
		{"all sandboxed", rec(3, in, in, in), nil, sandboxed},
		{"sandboxed, then free: both at once", rec(2, in, free), nil, partial},
		{"free, then sandboxed: it may have entered between", rec(2, free, in), nil, unsettled},
		{"free, then one known to have been sandboxed", rec(2, free, in), before(map[int]fact{1: wasIn}), partial},
		{"free, then another known to have been sandboxed", rec(2, free, in), before(map[int]fact{0: wasIn}), unsettled},
		{"free, sandboxed, free", rec(3, free, in, free), nil, partial},

		{"fewer records than threads", rec(3, free, free), nil, unsettled},
		{"more records than threads", rec(1, free, free), nil, unsettled},
		{"no leader", with(rec(1, free), 0, func(r *taskRecord) { r.Bits = 0 }), nil, unsettled},
		{"torn", rec(1, free|torn), nil, unsettled},
		{"one torn", rec(2, in, in|torn), nil, unsettled},
		{"count changed", with(rec(2, in, in), 1, func(r *taskRecord) { r.NrThreads = 3 }), nil, unsettled},
		{"a thread went", with(rec(2, in, in), 1, func(r *taskRecord) { r.Exits++ }), nil, unsettled},
		{"executed", with(rec(2, in, in), 1, func(r *taskRecord) { r.ExecId++ }), nil, unsettled},
		{"of two processes", with(rec(2, in, in), 1, func(r *taskRecord) { r.Pid++ }), nil, unsettled},

		{"zombie", rec(1, gone), nil, outside},
		{"zombie that was sandboxed", rec(1, gone|in), nil, outside},
		{"zombie, a thread unseen", rec(2, gone), nil, unsettled},
		{"no leader, one that exited", with(rec(1, gone), 0, func(r *taskRecord) { r.Bits = 0 }), nil, unsettled},
		{"dead leader, live free thread", rec(2, gone, free), nil, unsandboxed},
		{"dead leader, live sandboxed thread", rec(2, gone, in), nil, sandboxed},
		{"dead sandboxed leader is no evidence", rec(2, gone|in, free), nil, unsandboxed},
		{"dead free leader is no evidence", rec(2, gone, in), nil, sandboxed},
		{"free, then one exited: it may have been sandboxed", rec(2, free, gone), nil, unsettled},
		{"free, then one exited long ago", rec(2, free, gone), before(map[int]fact{1: wasExited}), unsandboxed},
		{"sandboxed, then one exited: it may have been free, and the first gone since", rec(2, in, gone), nil, unsettled},
		{"sandboxed, then one exited long ago", rec(2, in, gone), before(map[int]fact{1: wasExited}), sandboxed},
		{"sandboxed, one exited, sandboxed", rec(3, in, gone, in), nil, sandboxed},
		{"sandboxed, one exited, free", rec(3, in, gone, free), nil, partial},

		{"a worker has no part: sandboxed", rec(2, in, worker), nil, sandboxed},
		{"a worker has no part: free", rec(2, free, worker|in), nil, unsandboxed},
		{"a worker is counted", rec(1, in, worker), nil, unsettled},
		{"only a worker is left", rec(2, gone, worker), nil, outside},
		{"a sandboxed worker proves nothing", rec(3, worker|in, free, free), nil, unsandboxed},
		{"not even with what is known", rec(3, free, worker|in, in), before(map[int]fact{1: wasIn}), unsettled},

		// de_thread() lets two pids point to one task for an instant.
		{"a dead leader seen twice", with(rec(2, gone, gone), 1, func(r *taskRecord) { *r = rec(2, gone)[0] }), nil, unsettled},
		{"a dead leader seen under two tids", with(rec(2, gone, gone), 1, func(r *taskRecord) { r.Start = 100 }), nil, unsettled},
		{"the same live task twice", with(rec(2, in, in), 1, func(r *taskRecord) { *r = rec(2, in)[0] }), nil, unsettled},
	} {
		t.Run(c.name, func(t *testing.T) {
			records := slices.Clone(c.records)
			if got := judge(records, pfIOWorker|pfUserWorker, false, c.known); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if !slices.Equal(records, c.records) {
				t.Error("the records were changed")
			}
		})
	}
}

// TestJudgeWorkerFlags: the bit of PF_USER_WORKER means something else on older
// kernels, so that only the flags that are passed count.
func TestJudgeWorkerFlags(t *testing.T) {
	records := rec(2, in, 0)
	records[1].Flags = pfUserWorker
	if got := judge(records, pfIOWorker, false, nil); got != partial {
		t.Errorf("without the flag: got %d, want partial", got)
	}
	if got := judge(records, pfIOWorker|pfUserWorker, false, nil); got != sandboxed {
		t.Errorf("with the flag: got %d, want sandboxed", got)
	}
}

// Where threads can take others out of their domains, such as are in different ones prove
// nothing until each was seen twice in the same.
func TestJudgeApart(t *testing.T) {
	other := func(r *taskRecord) { r.Domain = 8 }
	seen := func(domains ...uint64) known {
		k := known{}
		for i, d := range domains {
			k[taskKey{int32(10 + i), uint64(100 + i), 1}] = fact{domain: d}
		}
		return k
	}
	for name, c := range map[string]struct {
		records []taskRecord
		frees   bool
		known   known
		want    verdict
	}{
		"one domain":             {rec(2, in, in), true, nil, sandboxed},
		"two":                    {with(rec(2, in, in), 1, other), true, nil, unsettled},
		"two, on other kernels":  {with(rec(2, in, in), 1, other), false, nil, sandboxed},
		"two, each as before":    {with(rec(2, in, in), 1, other), true, seen(7, 8), sandboxed},
		"two, one not as before": {with(rec(2, in, in), 1, other), true, seen(7, 7), unsettled},
		"two, one is new":        {with(rec(2, in, in), 1, other), true, seen(7), unsettled},
		"a worker is in another": {with(rec(2, in, in|worker), 1, other), true, nil, sandboxed},
	} {
		if got := judge(c.records, pfIOWorker, c.frees, c.known); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestKnownRemember(t *testing.T) {
	k := known{}
	k.remember(rec(4, 0, in, gone, gone|in))
	want := map[int32]fact{11: wasIn, 12: wasExited, 13: wasExited}
	if len(k) != len(want) {
		t.Errorf("%d facts, want %d", len(k), len(want))
	}
	for key, f := range k {
		if want[key.tid] != f {
			t.Errorf("tid %d: fact %+v, want %+v", key.tid, f, want[key.tid])
		}
	}
	// An exec from another thread hands that thread the leader's TID and start time.
	if _, ok := k[taskKey{11, 101, 2}]; ok {
		t.Error("what executed since is another task")
	}
}
