// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/scan"
)

// played is a host whose programs are played: each source that scans it gets, in its own time,
// the records that they would return.
type played struct {
	rng       *rand.Rand
	clock     uint64
	keys      uint64
	processes []*playedProcess // ascending by PID
	domains   map[uint64]*domainRecord
	objects   []domainid.Object
	mounts    [4]uint64 // what is other in the ways of each namespace
	held      bool      // the objects stay open
}

type playedProcess struct {
	pid   int32
	exe   string
	tasks []objectTaskRecord // the leader first, ascending by TID
	// torn is in how many passes of this scan it is torn.
	torn    int
	granted uint32 // to each of its tasks, by the outermost layer
	// shy: nothing comes of its rules in this scan.
	shy bool
}

// player is the programs of one source.
type player struct {
	*played
	source *Source
	passes int
}

func newPlayed(seed uint64) *played {
	w := &played{rng: rand.New(rand.NewPCG(seed, 1)), domains: map[uint64]*domainRecord{}, held: true}
	w.objects = []domainid.Object{
		{Asset: 0, Path: "/a", Kind: domainid.ObjectDirectory, Parent: -1},
		{Asset: 0, Path: "/b", Kind: domainid.ObjectFile, Parent: 0},
	}
	for range 3 + w.rng.IntN(20) {
		w.spawn()
	}
	return w
}

func (w *played) tick() uint64 { w.clock++; return w.clock }

func (w *played) spawn() {
	pid := int32(2)
	if n := len(w.processes); n > 0 {
		pid = w.processes[n-1].pid + 1 + w.rng.Int32N(3)
	}
	p := &playedProcess{pid: pid, exe: fmt.Sprintf("/bin/%d", w.rng.IntN(4))}
	t := objectTaskRecord{
		Tid: pid, Pid: pid, Ppid: 1, Bits: taskLeader, NrThreads: 1, Start: w.tick(), ExecId: w.tick(),
		Cgroup: w.rng.Uint64N(3), Euid: w.rng.Uint32N(2), Account: w.rng.Uint32N(2), UserNs: scan.InitUserNS,
		Space: uint16(1 + w.rng.IntN(len(w.mounts)-1)),
	}
	p.tasks = append(p.tasks, t)
	w.processes = append(w.processes, p)
	for range w.rng.IntN(3) {
		w.thread(p)
	}
	if w.rng.IntN(2) == 0 {
		w.restrict(p, w.rng.IntN(4) > 0)
	}
}

func (w *played) thread(p *playedProcess) {
	t := p.tasks[w.rng.IntN(len(p.tasks))]
	t.Tid, t.Start, t.ExitState = p.tasks[len(p.tasks)-1].Tid+1, w.tick(), 0
	t.Bits &^= taskLeader
	if next := slices.IndexFunc(w.processes, func(o *playedProcess) bool { return o.pid == t.Tid }); next >= 0 {
		return // the number is taken
	}
	p.tasks = append(p.tasks, t)
	for i := range p.tasks {
		p.tasks[i].NrThreads = int32(len(p.tasks))
	}
}

// restrict puts a task, or all of a process, into a domain of its own.
func (w *played) restrict(p *playedProcess, all bool) {
	for i := range p.tasks {
		t := &p.tasks[i]
		if !all && i > 0 || t.Depth >= 4 {
			continue
		}
		w.keys++
		w.domains[w.keys] = &domainRecord{
			Key: w.keys, Parent: t.Domain, Depth: t.Depth + 1, Mask: 1 + w.rng.Uint32N(100), NumRules: 0,
		}
		t.Domain, t.Depth, t.View = w.keys, t.Depth+1, uint16(objectViewVIEW_READ)
	}
}

// change makes something other.
func (w *played) change() {
	p := w.processes[w.rng.IntN(len(w.processes))]
	t := &p.tasks[w.rng.IntN(len(p.tasks))]
	switch w.rng.IntN(20) {
	case 0:
		w.spawn()
	case 1:
		if len(w.processes) > 2 {
			w.processes = slices.DeleteFunc(w.processes, func(o *playedProcess) bool { return o == p })
		}
	case 2:
		w.thread(p)
	case 3: // a thread goes
		if n := len(p.tasks); n > 1 {
			p.tasks = p.tasks[:n-1]
			for i := range p.tasks {
				p.tasks[i].NrThreads, p.tasks[i].Exits = int32(n-1), p.tasks[i].Exits+1
			}
		}
	case 4, 5:
		w.restrict(p, w.rng.IntN(2) == 0)
	case 6:
		t.Comm[w.rng.IntN(16)]++
	case 7:
		t.Euid ^= 1
	case 8:
		t.Bits ^= taskNoNewPrivs
	case 9:
		t.ExitState ^= 16 // a zombie, or a dead thread
	case 10: // another program
		p.exe = fmt.Sprintf("/bin/%d", w.rng.IntN(4))
		exec := w.tick()
		for i := range p.tasks {
			p.tasks[i].ExecId = exec
		}
	case 11:
		if d := w.domains[t.Domain]; d != nil {
			d.Denials++
		}
	case 12:
		t.View = uint16(w.rng.IntN(int(objectViewVIEW_OUTSIDE) + 1))
	case 13:
		p.granted = w.rng.Uint32N(4)
	case 14:
		t.Space = uint16(1 + w.rng.IntN(len(w.mounts)-1))
	case 15:
		w.mounts[w.rng.IntN(len(w.mounts))]++
	case 16:
		w.objects = slices.Clone(w.objects)
		w.objects[1].Kind = domainid.ObjectKind(w.rng.IntN(int(domainid.ObjectSocket) + 1))
	case 17:
		p.torn = 1 + w.rng.IntN(4)
	case 18:
		w.held = false
	case 19:
		t.Flags ^= pfIOWorker
		t.Acting = t.Domain
	}
}

// calm ends what lasts for one scan.
func (w *played) calm() {
	w.held = true
	for _, p := range w.processes {
		p.torn, p.shy = 0, false
	}
}

// read plays a program.
func (p *player) read(_ context.Context, file int, take func([]byte) error) error {
	var all []byte
	switch c := p.source.control; file {
	case linkFile:
		all = p.tasks(c)
		if !p.source.pass.resting { // what is torn is so beside a source that never rests, too
			p.passes++
		}
	case rulesFile:
		for _, one := range p.processes {
			for i := range one.tasks {
				t := &one.tasks[i]
				if w := c.Wants[uint32(t.Tid)%wantSlots]; w.Tid == t.Tid && !one.shy {
					all = append(all, encode(objectRecordKindRECORD_RULES, rulesRecord{
						Tid: t.Tid, Start: t.Start, ExecId: t.ExecId, Domain: t.Domain, Tree: w.Tree, Next: w.From,
						Done: 1, NumLayers: uint32(t.Depth),
					})...)
				}
			}
		}
	case waysFile:
		for space, other := range p.mounts {
			words := []uint64{0 | 1<<32, 7, 1 | 1<<32, 8 + other}
			all = append(all, encode(objectRecordKindRECORD_WAYS, waysRecord{
				Space: uint32(space), NumWords: uint32(len(words)),
			}, words)...)
		}
	}
	// Reads end at the end of records, anywhere.
	for len(all) > 0 {
		n := 0
		for n < len(all) && n < 400 {
			n += int(all[n+2]) | int(all[n+3])<<8
		}
		if err := take(slices.Clone(all[:n])); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// tasks plays the program that scans.
func (p *player) tasks(c *control) (all []byte) {
	described := map[uint64]bool{}
	c.NumSpaces = uint64(len(p.mounts) - 1)
	for _, one := range p.processes {
		if bit := uint32(one.pid) % pidSlots; c.Selected != 0 && c.Wanted[bit/8]>>(bit%8)&1 == 0 {
			continue
		}
		for i, t := range one.tasks {
			if one.torn > p.passes {
				t.Bits |= taskTorn
			}
			for key := t.Domain; key != 0 && !described[key]; key = p.domains[key].Parent {
				described[key] = true
				all = append(all, encode(objectRecordKindRECORD_DOMAIN, *p.domains[key])...)
			}
			if one.granted != 0 && t.View == uint16(objectViewVIEW_READ) {
				masks := []uint32{one.granted, 0, 0, 0}
				all = append(all, encode(objectRecordKindRECORD_GRANTS, grantsRecord{Tid: t.Tid}, masks)...)
			}
			all = append(all, encode(objectRecordKindRECORD_TASK, t)...)
			leader := &one.tasks[0]
			set, tag := c.exesOf(&scan.Process{PID: one.pid, Start: leader.Start, Exec: leader.ExecId})
			if i == 0 && !slices.Contains(set[:], tag) {
				r := exeRecord{Pid: one.pid, ExecId: leader.ExecId, Bits: exeExecuted}
				all = append(all, encode(objectRecordKindRECORD_EXE, r, padded(one.exe))...)
			}
		}
	}
	return append(all, encodeEnd()...)
}

// Resolve implements [Resolver], and so do Assets and Release.
func (p *player) Resolve(context.Context) ([]domainid.Object, []int32, int) {
	return p.objects, make([]int32, len(p.objects)), 1
}

func (p *player) Assets() []domainid.Asset {
	return []domainid.Asset{{Name: "a", Paths: []string{"/a", "/b"}, Read: true}}
}

func (p *player) Release() bool { return p.held }

// play returns a source of which the host's programs are played.
func (w *played) play() *player {
	st := state{Format: testFormat, Layout: layout{}}
	st.Kernel = scan.Kernel{Landlock: scan.Enabled, ABI: 7}
	st.Info = scan.SourceInfo{Name: "taskiter", IDs: "kernel", Rules: "read"}
	st.Layout.Workers = pfIOWorker | pfUserWorker
	c := &control{controlBlock: &controlBlock{}}
	p := &player{played: w, source: newSourceWith(st, make(bpffile.Files, waysFile+1), c)}
	p.source.read, p.source.ruleTime = p.read, time.Hour
	p.source.Resolve(p)
	return p
}

func (p *player) scan(t *testing.T) *scan.Snapshot {
	t.Helper()
	p.passes = 0
	snap, err := p.source.Scan(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestRepeat compares, over sequences of scans of random hosts, a source that repeats what did not
// change with one that concludes everything anew in each scan.
func TestRepeat(t *testing.T) {
	repeated, anew, changedReach, atRest, woken := 0, 0, 0, 0, 0
	for seed := range uint64(80) {
		w := newPlayed(seed)
		repeats, full := w.play(), w.play()
		var published []*scan.Snapshot
		var copies []scan.Snapshot
		for step := range 40 {
			w.calm()
			if w.rng.IntN(2+6*int(seed%2)) == 0 { // half of the hosts are calm
				for range 1 + w.rng.IntN(3) {
					w.change()
				}
			}
			if w.rng.IntN(8) == 0 {
				pids := []int32{w.processes[0].pid, w.processes[w.rng.IntN(len(w.processes))].pid}
				repeats.source.Favour(pids)
				full.source.Favour(pids)
			}
			for _, p := range w.processes {
				p.shy = w.rng.IntN(4) == 0
			}
			full.source.last = nil
			rested := repeats.source.pass.resting
			got, want := repeats.scan(t), full.scan(t)
			switch {
			case rested && repeats.source.pass.resting:
				atRest++
			case rested:
				woken++
			}
			demandSame(t, fmt.Sprintf("host %d, scan %d", seed, step), got, want)
			if n := len(published); n > 0 && published[n-1].Identity().Is(got) {
				repeated++
			} else {
				anew++
				if n > 0 && reflect.DeepEqual(got.Processes, copies[n-1].Processes) {
					changedReach++
				}
			}
			published = append(published, got)
			copies = append(copies, deepCopy(got))
			if t.Failed() {
				return
			}
		}
		// What was published has not changed since.
		for i, s := range published {
			demandSame(t, fmt.Sprintf("host %d, scan %d later", seed, i), s, &copies[i])
		}
	}
	t.Logf("%d scans repeated the last one, %d of them at rest, %d did not, %d of them with the same processes; %d ended a rest",
		repeated, atRest, anew, changedReach, woken)
	if repeated < 500 || anew < 500 || changedReach < 100 || atRest < 100 || woken < 100 {
		t.Error("these hosts do not show much")
	}
}

// TestRepeatGivesBack: what a burst took is given back behind it, also if nothing changes any more.
func TestRepeatGivesBack(t *testing.T) {
	w := newPlayed(1)
	w.calm()
	usual := slices.Clone(w.processes)
	p := w.play()
	for range 3 {
		p.scan(t)
	}
	for range 12000 {
		w.spawn()
		p := w.processes[len(w.processes)-1]
		p.tasks = p.tasks[:1] // a process that is whole: nothing of it is remembered
		p.tasks[0].NrThreads = 1
	}
	p.scan(t)
	s := p.source
	room := func() []int {
		return []int{cap(s.pass.at), cap(s.pass.order), cap(s.pass.groups), cap(s.pass.described), cap(s.holders), cap(s.programs.list)}
	}
	if took := room(); slices.Min(took) <= 4096 {
		t.Fatalf("room for %v is no burst", took)
	}
	w.processes = usual
	var snaps []*scan.Snapshot
	for range 4 {
		snaps = append(snaps, p.scan(t))
	}
	if left := room(); slices.Max(left) > 4096 {
		t.Errorf("room for %v is left", left)
	}
	if !snaps[2].Identity().Is(snaps[3]) {
		t.Error("the last scan is not repeated")
	}
}

func deepCopy(s *scan.Snapshot) scan.Snapshot {
	c := *s
	c.Processes, c.Tasks, c.Workers = slices.Clone(s.Processes), slices.Clone(s.Tasks), slices.Clone(s.Workers)
	c.Domains, c.Views, c.Scenes = slices.Clone(s.Domains), slices.Clone(s.Views), slices.Clone(s.Scenes)
	return c
}

// demandSame compares all that snapshots show, without when.
func demandSame(t *testing.T, what string, got, want *scan.Snapshot) {
	t.Helper()
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"kernel", got.Kernel, want.Kernel},
		{"source", got.Source, want.Source},
		{"processes", got.Processes, want.Processes},
		{"tasks", got.Tasks, want.Tasks},
		{"domains", got.Domains, want.Domains},
		{"views", got.Views, want.Views},
		{"assets", got.Assets, want.Assets},
		{"objects", got.Objects, want.Objects},
		{"scenes", got.Scenes, want.Scenes},
		{"workers", got.Workers, want.Workers},
		{"numbers", []int{got.DomainsUnread, got.TasksRead, got.Passes}, []int{want.DomainsUnread, want.TasksRead, want.Passes}},
		{"counts", got.Count(), want.Count()},
		{"counts of assets", got.CountAssets(), want.CountAssets()},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %s\n got %+v\nwant %+v", what, c.name, c.got, c.want)
		}
	}
	for i := range min(len(got.Processes), len(want.Processes)) {
		a, _ := got.SandboxOf(&got.Processes[i])
		b, _ := want.SandboxOf(&want.Processes[i])
		if a != b {
			t.Errorf("%s: process %d: sandbox\n got %+v\nwant %+v", what, got.Processes[i].PID, a, b)
		}
	}
}

// TestRecordsOfWhatLasts: flags that a task has for a moment, or once it did something, would
// have each scan differ from the one before.
func TestRecordsOfWhatLasts(t *testing.T) {
	s := openSource(t, Options{})
	mustScan(t, s)
	for place := range s.pass.at {
		if r := s.pass.record(place); r.Flags&^s.state.Layout.Workers != 0 {
			t.Errorf("task %d has the flags %#x", r.Tid, r.Flags)
		}
	}
	if len(s.pass.at) == 0 {
		t.Error("no records")
	}
}
