// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The model of one process and of a reader that visits its tasks, in steps of
// which each is one store or one load of the kernel's:
//
//   - clone: copy_process() raises nr_threads and then attaches the new pid,
//     both under tasklist_lock;
//   - exit: exit_notify() sets exit_state; later __exit_signal(), under the same
//     lock, adds the task's CPU time to sum_sched_runtime, lowers nr_threads and
//     detaches the pid. A leader is released last;
//   - exec: de_thread() waits until the other threads are gone, gives the start
//     time of the leader to the thread that executes, swaps what the two pids
//     point to (one after the other), then the numbers, then the leaders, and
//     releases the old leader. self_exec_id grows later, without that lock;
//   - a thread enters a domain. LANDLOCK_RESTRICT_SELF_TSYNC is this for each
//     thread, one after the other;
//   - a thread in no domain takes all others out of theirs, by the same flag without a
//     ruleset. Here that is one step: the kernel makes it thread by thread, each of which
//     waits for all to be ready.
const (
	modelTasks   = 6
	modelTIDs    = 9 // 1 to 8
	modelRecords = 8
	modelFacts   = 12
)

type modelTask struct {
	tid, start, exec int8
	exists           bool // attached, and not detached again
	leader, worker   bool
	in, dead         bool
	cloning          bool // in copy_process(): its credentials do not change meanwhile
	released         bool // sighand is NULL
	domain           int8 // which, of those that frees are modelled with
}

type modelRecord struct {
	tid, start, exec, threads, runtime int8
	in, dead, worker, torn, leader     bool
	domain                             int8
}

func (r modelRecord) record() taskRecord {
	t := taskRecord{objectTaskRecord: objectTaskRecord{
		Tid: int32(r.tid), Pid: 1, NrThreads: int32(r.threads), Start: uint64(r.start),
		ExecId: uint64(r.exec), Exits: uint32(r.runtime),
	}}
	if r.in {
		t.Domain = 0x1234 + uint64(r.domain)
	}
	if r.dead {
		t.ExitState = 32
	}
	if r.worker {
		t.Flags = pfUserWorker
	}
	if r.torn {
		t.Bits |= taskTorn
	}
	if r.leader {
		t.Bits |= taskLeader
	}
	return t
}

type modelFact struct {
	tid, start, exec int8
	fact             fact
}

// Kinds of steps.
const (
	stepReader  = iota // the reader's next load
	stepOp             // the next store under tasklist_lock
	stepEnter          // a thread enters a domain
	stepDie            // exit_notify()
	stepRelease        // __exit_signal() begins
	stepClone          // copy_process() takes the lock
	stepExec           // execve(2) begins
	stepExecOn         // it goes on
	stepFree           // a thread takes all others out of their domains
)

// step is a kind, a task and an argument.
type step struct{ kind, task, arg int8 }

func (s step) String() string {
	name := [...]string{"reader", "store", "enter", "die", "release", "clone", "exec", "exec-on", "free"}[s.kind]
	switch s.kind {
	case stepReader, stepOp, stepExecOn:
		return name
	}
	return fmt.Sprintf("%s(%c,%d)", name, 'A'+s.task, s.arg)
}

// Operations under tasklist_lock.
const (
	opNone = iota
	opClone
	opRelease
	opExchange
)

// world is a state of the model. It is comparable, so that exploring knows where it has been.
type world struct {
	tasks          [modelTasks]modelTask
	pids           [modelTIDs]int8 // task+1 by tid: what find_ge_pid() finds
	count, runtime int8
	sequence       int8 // of signal->stats_lock: odd in __exit_signal()
	serial         int8
	op, opTask     int8
	opPhase        int8
	execer         int8 // task+1
	execStage      int8
	leader         int8
	clones, execs  int8 // how many more
	frees, domains int8 // how many more, and how many domains there were

	// The reader.
	cursor, phase, pass, scans int8
	cur                        int8
	rec                        modelRecord
	recs                       [modelRecords]modelRecord
	n                          int8
	facts                      [modelFacts]modelFact
	nFacts                     int8
	seen                       uint8 // verdicts that were true at some instant of this scan
	ended, overflow            bool
	wrong                      verdict // unsettled: none
	settled                    uint8   // verdicts that were reached
}

// rules say what a run may do.
type rules struct {
	reuse bool // new threads may get any free tid, not only higher ones
	// idle: a thread may go without having been charged any CPU time. It is
	// charged when the scheduler next looks at it, and a kernel need not do
	// so between the thread's first instruction and __exit_signal().
	idle bool
	// sequence: the reader compares signal->stats_lock's sequence, and not
	// the exited threads' CPU time. It takes an odd one for torn.
	sequence bool
	// skipReleased: the reader passes over tasks whose sighand is NULL.
	skipReleased bool
	// coarse merges loads of the reader between which a single store makes only such
	// differences as the loads around them show.
	coarse bool
	scans  int8
	judge  func([]taskRecord, uint32, bool, known) verdict
	// frees is how often a thread takes others out of their domains, at most.
	frees int8
}

func (w *world) alone(t int8) bool {
	for i := range w.tasks {
		if int8(i) != t && w.tasks[i].exists {
			return false
		}
	}
	return true
}

// truth returns the verdicts that are true now: two while copy_process() is
// between counting a thread and attaching it.
func (w *world) truth() uint8 {
	t := w.truthWith(-1)
	if w.op == opClone {
		t |= w.truthWith(w.opTask)
	}
	return t
}

func (w *world) truthWith(also int8) uint8 {
	var in, out int
	for i := range w.tasks {
		t := &w.tasks[i]
		if !t.exists && int8(i) != also || t.dead || t.worker {
			continue
		}
		if t.in {
			in++
		} else {
			out++
		}
	}
	switch {
	case in == 0 && out == 0:
		return 1 << outside
	case out == 0:
		return 1 << sandboxed
	case in == 0:
		return 1 << unsandboxed
	}
	return 1 << partial
}

// steps returns all that may happen next.
func (w *world) steps(r *rules, to []step) []step {
	to = to[:0]
	if w.ended {
		return to
	}
	to = append(to, step{kind: stepReader})
	if w.op != opNone {
		to = append(to, step{kind: stepOp})
	}
	for i := range int8(modelTasks) {
		t := &w.tasks[i]
		if !t.exists {
			continue
		}
		executes := w.execer == i+1
		if !t.dead && !t.in && !t.worker && !executes && !t.cloning {
			to = append(to, step{kind: stepEnter, task: i})
		}
		if w.frees > 0 && w.op != opClone && !t.dead && !t.in && !t.worker && !executes {
			to = append(to, step{kind: stepFree, task: i})
		}
		if w.op != opNone {
			continue
		}
		if !t.dead && !(executes && w.execStage == 2) {
			to = append(to, step{kind: stepDie, task: i})
		}
		if t.dead && (!t.leader || w.alone(i)) {
			to = append(to, step{kind: stepRelease, task: i, arg: 1})
			if r.idle {
				to = append(to, step{kind: stepRelease, task: i})
			}
		}
		if !t.dead && !t.worker && w.execer == 0 {
			if w.clones > 0 {
				to = w.cloneSteps(r, i, to)
			}
			if w.execs > 0 {
				to = append(to, step{kind: stepExec, task: i})
			}
		}
	}
	if w.execer > 0 && w.execReady() {
		to = append(to, step{kind: stepExecOn})
	}
	return to
}

func (w *world) cloneSteps(r *rules, parent int8, to []step) []step {
	if slices.IndexFunc(w.tasks[:], func(t modelTask) bool { return t.tid == 0 }) < 0 {
		return to
	}
	highest := int8(0)
	for i := range w.tasks {
		highest = max(highest, w.tasks[i].tid)
	}
	for tid := int8(1); tid < modelTIDs; tid++ {
		free := !slices.ContainsFunc(w.tasks[:], func(t modelTask) bool { return t.tid == tid })
		if free && (tid == highest+1 || r.reuse && tid < highest) {
			to = append(to, step{kind: stepClone, task: parent, arg: tid})
		}
	}
	return to
}

// execReady reports whether the thread that executes can go on.
func (w *world) execReady() bool {
	t := w.execer - 1
	switch w.execStage {
	case 1:
		if w.leader == t {
			return w.alone(t)
		}
		for i := range w.tasks {
			if int8(i) != t && int8(i) != w.leader && w.tasks[i].exists {
				return false
			}
		}
		return w.tasks[w.leader].dead && w.op == opNone
	case 2: // the old leader must be released
		return w.alone(t)
	default:
		return true
	}
}

// do makes one step, which must be possible.
func (w *world) do(r *rules, s step) {
	switch s.kind {
	case stepReader:
		w.load(r)
		return
	case stepOp:
		w.store()
	case stepEnter:
		w.tasks[s.task].in = true
		if r.frees > 0 {
			w.domains++
			w.tasks[s.task].domain = w.domains
		}
	case stepFree:
		w.frees--
		for i := range w.tasks {
			if t := &w.tasks[i]; !t.dead && !t.worker {
				t.in, t.domain = false, 0
			}
		}
	case stepDie:
		w.tasks[s.task].dead = true
		if w.execer == s.task+1 {
			w.execer, w.execStage = 0, 0
		}
	case stepRelease:
		w.op, w.opTask, w.opPhase = opRelease, s.task, 0
		w.runtime += s.arg
		w.sequence++
	case stepClone:
		n := int8(slices.IndexFunc(w.tasks[:], func(t modelTask) bool { return t.tid == 0 }))
		p := &w.tasks[s.task]
		p.cloning = true
		w.serial++
		w.tasks[n] = modelTask{tid: s.arg, start: w.serial, exec: p.exec, in: p.in, domain: p.domain}
		w.clones--
		w.count++
		w.op, w.opTask, w.opPhase = opClone, n, s.task
	case stepExec:
		w.execer, w.execStage = s.task+1, 1
		w.execs--
	case stepExecOn:
		t := &w.tasks[w.execer-1]
		switch {
		case w.execStage == 1 && w.leader != w.execer-1:
			w.op, w.opTask, w.opPhase = opExchange, w.execer-1, 0
			t.start = w.tasks[w.leader].start
			w.execStage = 2
		case w.execStage < 3:
			w.execStage = 3
		default:
			t.exec++
			w.execer, w.execStage = 0, 0
		}
	}
	w.seen |= w.truth()
}

// store makes the next store of what holds tasklist_lock.
func (w *world) store() {
	t := &w.tasks[w.opTask]
	switch w.op {
	case opClone:
		t.exists = true
		w.pids[t.tid] = w.opTask + 1
		w.tasks[w.opPhase].cloning = false
		w.op = opNone
	case opRelease:
		switch w.opPhase {
		case 0:
			w.count--
		case 1:
			t.exists = false
			w.pids[t.tid] = 0
		case 2:
			w.sequence++
		case 3:
			t.released = true
			w.op = opNone
		}
		w.opPhase++
	case opExchange:
		old := &w.tasks[w.leader]
		switch w.opPhase {
		case 0:
			w.pids[t.tid] = w.leader + 1
		case 1:
			w.pids[old.tid] = w.opTask + 1
		case 2:
			t.tid, old.tid = old.tid, t.tid
		case 3:
			t.leader, old.leader = true, false
			w.leader = w.opTask
			w.op = opNone
		}
		w.opPhase++
	}
}

// load makes the reader's next load, in the order of bpf/taskiter.c.
func (w *world) load(r *rules) {
	if w.phase == 0 {
		if w.cursor == 0 && w.pass == 0 {
			w.seen = w.truth()
		}
		w.cursor++
		for w.cursor < modelTIDs && w.pids[w.cursor] == 0 {
			w.cursor++
		}
		if w.cursor >= modelTIDs {
			w.endPass(r)
			return
		}
		w.cur = w.pids[w.cursor] - 1
		w.rec = modelRecord{}
		w.phase = 1
		return
	}
	t, rec := &w.tasks[w.cur], &w.rec
	for {
		switch w.phase {
		case 1:
			rec.worker, rec.tid = t.worker, t.tid
		case 2:
			rec.threads = w.count
		case 3:
			rec.runtime = w.runtime
			if r.sequence {
				rec.runtime, rec.torn = w.sequence, w.sequence%2 != 0
			}
		case 4:
			rec.exec = t.exec
		case 5:
			rec.in, rec.domain = t.in, t.domain
		case 6:
			rec.dead = t.dead
		case 7:
			rec.torn = rec.torn || rec.threads != w.count
		case 8:
			now := w.runtime
			if r.sequence {
				now = w.sequence
			}
			rec.torn = rec.torn || rec.runtime != now
		case 9:
			rec.torn = rec.torn || rec.exec != t.exec
		case 10:
			rec.leader = t.leader
		case 11:
			rec.start = t.start
			w.phase = 0
			if r.skipReleased && t.released {
				return
			}
			if int(w.n) == len(w.recs) {
				w.overflow, w.ended = true, true
				return
			}
			w.recs[w.n] = *rec
			w.n++
			w.rec = modelRecord{}
			return
		}
		w.phase++
		if !r.coarse || w.phase == 3 || w.phase == 5 || w.phase == 6 || w.phase == 7 || w.phase == 10 {
			return
		}
	}
}

// endPass judges, as Source.scan does.
func (w *world) endPass(r *rules) {
	records := make([]taskRecord, w.n)
	for i := range records {
		records[i] = w.recs[i].record()
	}
	v := outside
	if w.n > 0 {
		before := known{}
		for _, f := range w.facts[:w.nFacts] {
			before[taskKey{int32(f.tid), uint64(f.start), uint64(f.exec)}] = f.fact
		}
		v = r.judge(records, pfIOWorker|pfUserWorker, r.frees > 0, before)
	}
	switch {
	case v == unsettled:
		w.pass++
		if w.pass < maxPasses {
			w.remember()
			w.cursor = 0
			w.clearRecords()
			return
		}
		w.clearFacts()
	case w.n > 0:
		w.settled |= 1 << v
		if w.seen&(1<<v) == 0 {
			w.wrong, w.ended = v, true
			return
		}
		w.clearFacts()
		if v == partial || r.frees > 0 && v == sandboxed && apart(records, pfIOWorker|pfUserWorker) {
			w.remember()
		}
	}
	w.scans++
	w.cursor, w.pass = 0, 0
	w.clearRecords()
	w.ended = w.scans == r.scans
}

func (w *world) clearRecords() { w.recs, w.n = [modelRecords]modelRecord{}, 0 }
func (w *world) clearFacts()   { w.facts, w.nFacts = [modelFacts]modelFact{}, 0 }

// remember is known.remember.
func (w *world) remember() {
	k := known{}
	for _, rec := range w.recs[:w.n] {
		t := rec.record()
		k.remember([]taskRecord{t})
		f, ok := k[t.key()]
		if !ok {
			continue
		}
		at := slices.IndexFunc(w.facts[:w.nFacts], func(x modelFact) bool {
			return x.tid == rec.tid && x.start == rec.start && x.exec == rec.exec
		})
		if at < 0 {
			at = int(w.nFacts)
			if at == len(w.facts) {
				w.overflow, w.ended = true, true
				return
			}
			w.nFacts++
		}
		w.facts[at] = modelFact{rec.tid, rec.start, rec.exec, f}
	}
}

// newWorld begins with tasks A, B, ... with ascending tids, of which A leads.
func newWorld(in []bool, dead, worker uint, first, clones, execs int8) world {
	w := world{clones: clones, execs: execs, count: int8(len(in))}
	for i := range in {
		w.serial++
		w.tasks[i] = modelTask{
			tid: first + int8(i), start: w.serial, exists: true, leader: i == 0,
			in: in[i], dead: dead&(1<<i) != 0, worker: worker&(1<<i) != 0,
		}
		w.pids[first+int8(i)] = int8(i) + 1
	}
	return w
}

// replay makes those of the steps that are possible and returns where they end.
func replay(start world, r *rules, schedule []step) (world, []step) {
	w := start
	var done, possible []step
	for _, s := range schedule {
		if possible = w.steps(r, possible); slices.Contains(possible, s) {
			w.do(r, s)
			done = append(done, s)
		}
	}
	return w, done
}

// shrink leaves out steps as long as the verdict is still wrong.
func shrink(start world, r *rules, schedule []step) []step {
	for again := true; again; {
		again = false
		for i := 0; i < len(schedule); i++ {
			less := slices.Delete(slices.Clone(schedule), i, i+1)
			// The reader must still come to its end.
			for range 3 * 12 * modelRecords {
				less = append(less, step{kind: stepReader})
			}
			w, done := replay(start, r, less)
			if w.wrong != unsettled && len(done) < len(schedule) {
				schedule, again = done, true
				i--
			}
		}
	}
	return schedule
}

// explain prints a schedule with what each of its steps changed.
func explain(start world, r *rules, schedule []step) string {
	var b strings.Builder
	names := map[uint8]string{1 << outside: "outside", 1 << unsandboxed: "unsandboxed", 1 << partial: "partial", 1 << sandboxed: "sandboxed"}
	for i, t := range start.tasks {
		if t.exists {
			fmt.Fprintf(&b, "%c: tid %d in=%v dead=%v worker=%v\n", 'A'+i, t.tid, t.in, t.dead, t.worker)
		}
	}
	fmt.Fprintf(&b, "truth at first: %s\n", names[start.truth()])
	w := start
	for _, s := range schedule {
		n, pass := w.n, w.pass
		w.do(r, s)
		if s.kind != stepReader {
			fmt.Fprintf(&b, "  %v: count %d, exited runtime %d, truth %s\n", s, w.count, w.runtime, names[w.truthWith(-1)])
		} else if w.n > n {
			fmt.Fprintf(&b, "  reader: task %c gave %+v\n", 'A'+w.cur, w.recs[n])
		} else if w.pass != pass {
			fmt.Fprintf(&b, "  reader: pass %d\n", w.pass)
		} else if w.phase > 0 {
			fmt.Fprintf(&b, "  reader: load %d of task %c\n", w.phase-1, 'A'+w.cur)
		}
	}
	fmt.Fprintf(&b, "verdict %d (%s), true in no instant of the scan\n", w.wrong, names[1<<w.wrong])
	return b.String()
}

// walkRandomly makes runs of random schedules and returns the first wrong one.
func walkRandomly(r *rules, seed uint64, runs int) (world, []step, [5]int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var schedule, possible []step
	var settled [5]int
	for range runs {
		in := make([]bool, 1+rng.IntN(3))
		mode := rng.IntN(3)
		for i := range in {
			in[i] = mode == 1 || mode == 2 && rng.IntN(2) == 0
		}
		dead, worker := uint(0), uint(0)
		if len(in) > 1 {
			dead = uint(rng.IntN(5)) / 4 // the leader, at times
			worker = uint(rng.IntN(8)) / 7 << (len(in) - 1)
		}
		first := int8(1)
		if r.reuse {
			first = 3 // leave room below
		}
		start := newWorld(in, dead, worker, first, int8(rng.IntN(3)), int8(rng.IntN(2)))
		start.frees = r.frees
		w := start
		schedule = schedule[:0]
		// How busy the process is beside the reader differs from run to run.
		busy := 1 + rng.IntN(30)
		for !w.ended && len(schedule) < 600 {
			possible = w.steps(r, possible)
			s := possible[0]
			if len(possible) > 1 && rng.IntN(32) < busy {
				s = possible[1+rng.IntN(len(possible)-1)]
			}
			w.do(r, s)
			schedule = append(schedule, s)
		}
		for v := range settled {
			settled[v] += int(w.settled >> v & 1)
		}
		if w.wrong != unsettled {
			return start, slices.Clone(schedule), settled
		}
	}
	return world{}, nil, settled
}

// explorer walks all schedules from a state, depth first.
type explorer struct {
	rules    *rules
	seed     maphash.Seed
	been     map[uint64]struct{}
	limit    int
	schedule []step
	complete bool
}

func (e *explorer) explore(w *world) bool {
	if w.wrong != unsettled {
		return true
	}
	if w.ended {
		return false
	}
	h := maphash.Comparable(e.seed, *w)
	if _, ok := e.been[h]; ok {
		return false
	}
	if len(e.been) >= e.limit {
		e.complete = false
		return false
	}
	e.been[h] = struct{}{}
	for _, s := range w.steps(e.rules, nil) {
		next := *w
		next.do(e.rules, s)
		e.schedule = append(e.schedule, s)
		if e.explore(&next) {
			return true
		}
		e.schedule = e.schedule[:len(e.schedule)-1]
	}
	return false
}

// program is which of the reader's means bpf/taskiter.c has: it must be set to what is
// there. Without them (see rules) the judge is not held to what only they show.
var program = rules{scans: 2, judge: judge, sequence: true, skipReleased: true}

// TestJudgeRandomSchedules: whatever the judge finds of a process was true at
// some instant of the scan, in random schedules of the model.
func TestJudgeRandomSchedules(t *testing.T) {
	runs := 100_000
	if testing.Short() {
		runs = 20_000
	}
	t.Parallel()
	for _, c := range []struct {
		name        string
		reuse, idle bool
		frees       int8
		needs       bool
	}{
		{"usual", false, false, 0, true},
		{"threads that were charged no time", false, true, 0, program.sequence},
		{"tids that wrap around within a pass", true, true, 0, program.sequence && program.skipReleased},
		{"threads take others out of their domains", false, false, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.needs {
				t.Skip("the program does not read what would tell this")
			}
			r := program
			r.reuse, r.idle = c.reuse, c.idle
			r.frees = c.frees
			start, schedule, settled := walkRandomly(&r, 1, runs)
			if schedule != nil {
				t.Fatalf("a verdict that was never true:\n%s", explain(start, &r, shrink(start, &r, schedule)))
			}
			t.Logf("%d runs; with verdict outside %d, unsandboxed %d, partial %d, sandboxed %d",
				runs, settled[outside], settled[unsandboxed], settled[partial], settled[sandboxed])
			for _, v := range []verdict{outside, unsandboxed, partial, sandboxed} {
				if settled[v] < runs/200 {
					t.Errorf("verdict %d was reached in %d of %d runs: the model does not test it", v, settled[v], runs)
				}
			}
		})
	}
}

// TestJudgeAllSchedules explores every schedule of small processes.
func TestJudgeAllSchedules(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	for _, c := range []struct {
		name          string
		in            []bool
		dead, worker  uint
		clones, execs int8
	}{
		{"one free, clones", []bool{false}, 0, 0, 1, 0},
		{"one sandboxed, clones", []bool{true}, 0, 0, 1, 0},
		{"both", []bool{true, false}, 0, 0, 0, 0},
		{"both, other order", []bool{false, true}, 0, 0, 0, 0},
		{"both, leader dead", []bool{true, false}, 1, 0, 0, 0},
		{"two free", []bool{false, false}, 0, 0, 0, 0},
		{"a worker", []bool{true, false}, 0, 2, 0, 0},
		{"sandboxed executes", []bool{false, true}, 0, 0, 0, 1},
		{"free executes", []bool{true, false}, 0, 0, 0, 1},
		{"three", []bool{true, false, false}, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := program
			r.scans, r.coarse = 1, true
			start := newWorld(c.in, c.dead, c.worker, 1, c.clones, c.execs)
			e := &explorer{rules: &r, seed: maphash.MakeSeed(), been: map[uint64]struct{}{}, limit: 300_000, complete: true}
			if e.explore(&start) {
				t.Fatalf("a verdict that was never true:\n%s", explain(start, &r, shrink(start, &r, e.schedule)))
			}
			t.Logf("%d states, all: %v", len(e.been), e.complete)
		})
	}
}
