// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// sample has each member that procattr fills set in some element.
func sample() *scan.Snapshot {
	task := func(tid int32) scan.Task {
		return scan.Task{TID: tid, Domain: domainid.Outermost, View: domainid.NoView, Start: 5, State: scan.Unsandboxed, DepthExact: true}
	}
	in := scan.Task{TID: 11, Domain: 1, View: domainid.NoView, UID: 1000, Start: 7, Depth: 2, State: scan.Sandboxed, Hardening: scan.NoNewPrivs | scan.SeccompFilter}
	denied := scan.Task{TID: 20, Domain: domainid.Outermost, View: domainid.NoView, UID: scan.NoUser, State: scan.Unknown, Reason: scan.Denied}
	return &scan.Snapshot{
		Time: time.Unix(0, 1_700_000_000_123_456_789), Uptime: time.Hour, Duration: time.Millisecond,
		TasksRead: 5, Passes: 2,
		Domains: []domainid.Domain{
			{ID: 0xabc, Parent: domainid.Outermost, Depth: 1, Rules: domainid.RulesUncounted},
			{ID: math.MaxUint64, Parent: 0, Depth: 2, Lineage: domainid.LineageInferred, Rules: domainid.RulesUncounted},
		},
		Processes: []scan.Process{
			{
				PID: 10, PPID: 1, Start: 5, Exec: 3, Comm: scan.Comm([]byte("a\xff\n\"}{\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")),
				CgroupID: 1 << 40, CgroupV1ID: 9, Exe: "/bin/\x00\xfe" + strings.Repeat("x", 300), ExeCut: true, ExeDeleted: true,
				ExeOrigin: scan.OfUser, UID: 4294967290, UIDsDiffer: true, UserNS: 7, MountNSOwner: 8,
				NoNewPrivs: scan.OfSome, Seccomp: scan.OfAll, State: scan.Sandboxed, Depth: 2, MaxDepth: 3,
				FirstTask: 0, NumTasks: 2, FirstWorker: 0, NumWorkers: 1,
			},
			{PID: 20, State: scan.Unknown, Reason: scan.Denied, FirstTask: 2, NumTasks: 1, FirstWorker: 1, NumWorkers: 0},
			{PID: math.MaxInt32, Exe: "", State: scan.Unsandboxed, FirstTask: 3, NumTasks: 1, FirstWorker: 1, NumWorkers: 1},
		},
		Tasks: []scan.Task{task(10), in, denied, task(math.MaxInt32)},
		Workers: []scan.Worker{
			{TID: 12, Start: 6, Real: scan.Place{State: scan.Sandboxed, Domain: 1}, Acting: scan.Place{Domain: domainid.Outermost}},
			{TID: 12, Start: 6, Real: scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}, Acting: scan.Place{Domain: domainid.Outermost}},
		},
	}
}

func encode(s *scan.Snapshot) []byte {
	w := wire{}
	w.snapshot(s, &paths{})
	return w.b
}

func TestSnapshot(t *testing.T) {
	want, got, known := sample(), &scan.Snapshot{}, paths{}
	for range 2 { // the second time with paths that are known
		w := wire{b: encode(want), reading: true}
		*got = scan.Snapshot{}
		if w.snapshot(got, &known); w.err != nil {
			t.Fatal(w.err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nbecomes\n%+v", want, got)
		}
	}
	if len(known.all) != 2 || known.all[0] != want.Processes[0].Exe {
		t.Errorf("known paths: %.100q", known)
	}
	got = &scan.Snapshot{}
	w := wire{b: encode(&scan.Snapshot{Time: time.Unix(0, 0)}), reading: true}
	if w.snapshot(got, &known); w.err != nil || len(got.Processes)+len(known.all) != 0 {
		t.Errorf("a host without processes: %+v, %v", got, w.err)
	}
}

// notCarried has the members that do not pass, each with the reason.
var notCarried = map[string]string{
	"Snapshot.Kernel":        "who asks knows it",
	"Snapshot.Source":        "it is in the greeting",
	"Snapshot.Part":          "the API sets it",
	"Snapshot.Views":         "the attribute shows no rules",
	"Snapshot.Assets":        "who asks adds them",
	"Snapshot.Objects":       "the attribute shows no rules",
	"Snapshot.Scenes":        "the attribute shows no rules",
	"Task.Scene":             "the attribute shows no rules",
	"Snapshot.DomainsUnread": "procattr has no budget for domains",
	"Snapshot.Workloads":     "they are named by who asks",
	"Process.Credentials":    "procattr does not read it",
	"Process.Workload":       "they are named by who asks",
	"Domain.Handled":         "the attribute shows no rights",
	"Domain.HandlesOther":    "the attribute shows no rights",
	"Domain.Ruleset":         "the attribute shows no rules",
	"Domain.Denials":         "the attribute shows none",
	"Domain.Log":             "the attribute does not show it",
	"Domain.Creator":         "the attribute does not show it",
}

// TestEveryMemberIsCarried: a new member of a snapshot's types is in the sample, and so
// passes (TestSnapshot), or stands above.
func TestEveryMemberIsCarried(t *testing.T) {
	set, excuses := map[string]bool{}, 0
	look := func(v reflect.Value) {
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name := v.Type().Name() + "." + f.Name; f.IsExported() {
				set[name] = set[name] || !v.FieldByIndex(f.Index).IsZero()
			}
		}
	}
	s := sample()
	look(reflect.ValueOf(*s))
	for i := range s.Domains {
		look(reflect.ValueOf(s.Domains[i]))
	}
	for i := range s.Processes {
		look(reflect.ValueOf(s.Processes[i]))
	}
	for i := range s.Tasks {
		look(reflect.ValueOf(s.Tasks[i]))
	}
	for i := range s.Workers {
		look(reflect.ValueOf(s.Workers[i]))
		look(reflect.ValueOf(s.Workers[i].Real))
	}
	for name, isSet := range set {
		if notCarried[name] != "" {
			excuses++
		}
		if isSet == (notCarried[name] != "") {
			t.Errorf("%s: set in the sample: %v; excuse: %q", name, isSet, notCarried[name])
		}
	}
	if excuses != len(notCarried) || len(set) < 50 {
		t.Errorf("%d members, %d excuses of %d", len(set), excuses, len(notCarried))
	}
}

// The least sizes are what the least of each takes.
func TestSizes(t *testing.T) {
	size := func(describe func(*wire)) int {
		w := wire{}
		describe(&w)
		return len(w.b)
	}
	for name, got := range map[string][2]int{
		"domain": {domainSize, size(func(w *wire) { w.domain(&domainid.Domain{}, 0) })},
		"process": {processSize, size(func(w *wire) {
			p := scan.Process{}
			w.process(&p)
		})},
		"path":   {pathSize, size(func(w *wire) { w.path(new(string), nil) })},
		"task":   {taskSize, size(func(w *wire) { w.task(&scan.Task{}, 0) })},
		"worker": {workerSize, size(func(w *wire) { w.worker(&scan.Worker{}, 0) })},
	} {
		if got[0] != got[1] {
			t.Errorf("a %s takes %d bytes, and not %d", name, got[1], got[0])
		}
	}
}

// What no reader sends is refused, whatever it would do to who reads it.
func TestMalformed(t *testing.T) {
	for name, change := range map[string]func(*scan.Snapshot){
		"processes out of order":      func(s *scan.Snapshot) { s.Processes[1].PID = 10 },
		"a process without number":    func(s *scan.Snapshot) { s.Processes[0].PID = 0 },
		"a negative number":           func(s *scan.Snapshot) { s.Processes[0].PID = -1 },
		"no task":                     func(s *scan.Snapshot) { s.Processes[0].NumTasks = 0; s.Tasks = s.Tasks[2:] },
		"more tasks than there are":   func(s *scan.Snapshot) { s.Tasks = s.Tasks[:3]; s.Processes[2].NumTasks = 0 },
		"fewer tasks than there are":  func(s *scan.Snapshot) { s.Tasks = append(s.Tasks, s.Tasks[0]) },
		"more workers than there are": func(s *scan.Snapshot) { s.Workers = append(s.Workers, s.Workers[0]) },
		"tasks out of order":          func(s *scan.Snapshot) { s.Tasks[1].TID = 10 },
		"a task that is partial":      func(s *scan.Snapshot) { s.Tasks[0].State = scan.Partial },
		"a state that is none":        func(s *scan.Snapshot) { s.Processes[0].State = 4 },
		"a reason that is none":       func(s *scan.Snapshot) { s.Tasks[0].Reason = 99 },
		"a domain that is not there":  func(s *scan.Snapshot) { s.Tasks[1].Domain = 2 },
		"a domain below none":         func(s *scan.Snapshot) { s.Tasks[1].Domain = -2 },
		"a domain of a free task":     func(s *scan.Snapshot) { s.Tasks[0].Domain = 0 },
		"a worker's domain":           func(s *scan.Snapshot) { s.Workers[0].Real.Domain = 2 },
		"a child before its parent":   func(s *scan.Snapshot) { s.Domains[0].Parent = 1 },
		"a domain in itself":          func(s *scan.Snapshot) { s.Domains[1].Parent = 1 },
		"a domain without ID":         func(s *scan.Snapshot) { s.Domains[0].ID = 0 },
		"a path that is too long":     func(s *scan.Snapshot) { s.Processes[0].Exe = strings.Repeat("x", 5000) },
		"time before boot":            func(s *scan.Snapshot) { s.Uptime = -1 },
	} {
		s := sample()
		change(s)
		w := wire{b: encodeAnything(s), reading: true}
		if w.snapshot(&scan.Snapshot{}, &paths{}); w.err == nil {
			t.Errorf("%s is believed", name)
		}
	}
	whole := encode(sample())
	for n := range whole {
		w := wire{b: whole[:n:n], reading: true}
		if w.snapshot(&scan.Snapshot{}, &paths{}); w.err == nil {
			t.Errorf("the first %d of %d bytes are believed", n, len(whole))
		}
	}
}

// Processes that have one long path, as any user can have, do not multiply it.
func TestLongPath(t *testing.T) {
	s := many(10_000)
	short := len(encode(s))
	for i := range s.Processes {
		s.Processes[i].Exe = strings.Repeat("x", 4000)
	}
	if n := len(encode(s)); n > short+4000 {
		t.Errorf("an answer of %d bytes, with short paths of %d", n, short)
	}
}

// Lists of paths that no reader sends: twice the same, one of nobody, in another order.
func TestMalformedPaths(t *testing.T) {
	for name, places := range map[string][]int32{
		"as it has to be": {0, 1, 0}, "out of order": {1, 0, 0}, "one of nobody": {0, 0, 0}, "none": {0, 1, 2},
		"before the first": {0, 1, -1},
	} {
		for _, second := range []string{"/b", "/a"} {
			w := wire{}
			all := []string{"/a", second}
			elements(&w, &all, pathSize)
			for i := range all {
				w.path(&all[i], nil)
			}
			for _, place := range places {
				number(&w, &place)
			}
			r := wire{b: w.b, reading: true}
			r.paths(make([]scan.Process, len(places)), &paths{})
			if good := name == "as it has to be" && second == "/b"; (r.err == nil) != good {
				t.Errorf("%s, %s: %v", name, second, r.err)
			}
		}
	}
}

// encodeAnything encodes a snapshot whose numbers of tasks and workers do not add up.
func encodeAnything(s *scan.Snapshot) []byte {
	w := wire{}
	at := *s
	at.Tasks, at.Workers = nil, nil
	at.Processes = append([]scan.Process(nil), s.Processes...)
	w.head(&at, &paths{})
	elements(&w, &s.Tasks, taskSize)
	elements(&w, &s.Workers, workerSize)
	n, m := 0, 0
	for _, p := range s.Processes {
		for range min(int(p.NumTasks), len(s.Tasks)-n) {
			w.task(&s.Tasks[n], 0)
			n++
		}
		for range min(int(p.NumWorkers), len(s.Workers)-m) {
			w.worker(&s.Workers[m], 0)
			m++
		}
	}
	return w.b
}

// FuzzSnapshot: whatever comes is refused, or is what its own encoding says; and no view of
// it ends the process.
func FuzzSnapshot(f *testing.F) {
	f.Add([]byte{})
	f.Add(encode(sample()))
	f.Add(encode(&scan.Snapshot{Time: time.Unix(0, 0)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &scan.Snapshot{}
		w := wire{b: b, reading: true}
		if w.snapshot(s, &paths{}); w.err != nil {
			return
		}
		if again := encode(s); !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
		s.Conclude()
		s.Count()
		s.Forest()
	})
}
