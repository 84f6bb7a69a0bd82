// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// What was written is read back, so that writing it again gives the same bytes.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(1000) {
		want := encode(t, random(rand.New(rand.NewPCG(seed, 1))))
		s, err := Read(bytes.NewReader(want))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, want)
		}
		if got := encode(t, s); !bytes.Equal(got, want) {
			t.Fatalf("seed %d:\n%s\nbecomes\n%s", seed, want, got)
		}
	}
}

// Every fact that rules are judged by is what it was.
func TestReadKeepsFacts(t *testing.T) {
	for seed := range uint64(300) {
		s := random(rand.New(rand.NewPCG(seed, 2)))
		got, err := Read(bytes.NewReader(encode(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Time.Equal(s.Time) || got.Uptime != s.Uptime || got.Duration != s.Duration ||
			got.Kernel != s.Kernel || got.DomainsUnread != s.DomainsUnread ||
			got.Source != s.Source || len(got.Processes) != len(s.Processes) {
			t.Fatalf("%+v is not %+v", got, s)
		}
		if !reflect.DeepEqual(got.Workloads, s.Workloads) {
			t.Fatalf("%+v becomes %+v", s.Workloads, got.Workloads)
		}
		for i := range s.Domains {
			if d := domainNamed(got, s.Domains[i].ID); d == nil ||
				!reflect.DeepEqual(d.Ruleset, s.Domains[i].Ruleset) || d.Log != s.Domains[i].Log ||
				d.HandlesOther != s.Domains[i].HandlesOther {
				t.Fatalf("seed %d: %+v becomes %+v", seed, s.Domains[i], d)
			}
		}
		for i := range s.Processes {
			p, q := s.Processes[i], got.Processes[i]
			for k, u := range s.TasksOf(&p) {
				v := got.TasksOf(&q)[k]
				if nameOf(s, u) != nameOf(got, v) ||
					!reflect.DeepEqual(viewOf(s, u), viewOf(got, v)) {
					t.Errorf("seed %d, pid %d: task %+v becomes %+v", seed, p.PID, u, v)
				}
				if u.Domain, u.View = v.Domain, v.View; v.TID == 0 {
					v.TID, v.Start = u.TID, u.Start // left out
				}
				if u != v {
					t.Errorf("seed %d, pid %d: task %+v becomes %+v", seed, p.PID, u, v)
				}
			}
			compareMeaning(t, s, got, &p, &q)
			if !bytes.Equal(p.Comm[:len(p.Comm.String())], q.Comm[:len(q.Comm.String())]) {
				t.Errorf("%q becomes %q", p.Comm, q.Comm)
			}
			q.Comm = p.Comm
			if withoutMeaning(p) != withoutMeaning(q) {
				t.Errorf("seed %d: %+v becomes %+v", seed, p, q)
			}
		}
	}
}

// withoutMeaning returns what was read of a process, without what was concluded
// from it: the place where that is differs.
func withoutMeaning(p scan.Process) scan.Process {
	v := reflect.New(reflect.TypeOf(p)).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			v.Field(i).Set(reflect.ValueOf(p).Field(i))
		}
	}
	return v.Interface().(scan.Process)
}

// compareMeaning compares what is concluded of a process.
func compareMeaning(t *testing.T, s, got *scan.Snapshot, p, q *scan.Process) {
	t.Helper()
	a, insideA := s.SandboxOf(p)
	b, insideB := got.SandboxOf(q)
	if a != b || insideA != insideB || s.Ineffective(p) != got.Ineffective(q) ||
		s.OutsideWorker(p) != got.OutsideWorker(q) || !slices.Equal(s.UIDs(p), got.UIDs(q)) {
		t.Errorf("pid %d: %+v becomes %+v", p.PID, a, b)
	}
	for i := range s.WorkersOf(p) {
		v, w := &s.WorkersOf(p)[i], &got.WorkersOf(q)[i]
		if v.TID != w.TID || v.Start != w.Start || v.Real.State != w.Real.State ||
			v.Acting.State != w.Acting.State ||
			s.Outside(p, v) != got.Outside(q, w) || idAt(s, v.Real) != idAt(got, w.Real) ||
			idAt(s, v.Acting) != idAt(got, w.Acting) {
			t.Errorf("pid %d: worker %+v becomes %+v", p.PID, *v, *w)
		}
	}
}

func idAt(s *scan.Snapshot, at scan.Place) domainid.ID {
	if at.Domain < 0 {
		return domainid.None
	}
	return s.Domains[at.Domain].ID
}

// viewOf returns a task's view with the name of its domain, or nil.
func viewOf(s *scan.Snapshot, t scan.Task) any {
	if t.View < 0 {
		return nil
	}
	v := s.Views[t.View]
	return []any{s.Domains[v.Domain].ID, v.Doubt, append([]uint32{}, v.Everywhere...)}
}

func domainNamed(s *scan.Snapshot, id domainid.ID) *domainid.Domain {
	for i := range s.Domains {
		if s.Domains[i].ID == id {
			return &s.Domains[i]
		}
	}
	return nil
}

func nameOf(s *scan.Snapshot, t scan.Task) string {
	if t.Domain < 0 {
		return ""
	}
	d := s.Domains[t.Domain]
	return d.ID.String() + " " + d.Lineage.String()
}

// The order of members, and members of later versions, do not matter.
func TestReadTakesAnyOrder(t *testing.T) {
	want := encode(t, random(rand.New(rand.NewPCG(7, 3))))
	dec := json.NewDecoder(bytes.NewReader(want))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	v["a new member"] = []any{map[string]any{"processes": 1}}
	for _, p := range v["processes"].([]any) {
		p.(map[string]any)["PID"] = "another name"
	}
	sorted, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read(bytes.NewReader(sorted))
	if err != nil {
		t.Fatalf("%v\n%s", err, sorted)
	}
	if got := encode(t, s); !bytes.Equal(got, want) {
		t.Errorf("%s\nbecomes\n%s", want, got)
	}
}

func golden(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/shells.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const someRuleset = `{"rules":3,"every_port":"0x0","ports":[{"port":53,"net":"0x2"},{"port":80,"net":"0x2"}],` +
	`"inodes":[{"dev":"8:1","ino":"2","fs":"0x4","filesystem_root":false}],"ports_left_out":0,"inodes_left_out":0}`

const (
	someTask = `{"tid":1,"start_ns":"1","state":"unsandboxed","reason":null,"depth":0,"depth_exact":true,"domain":null,"view_index":null,` +
		`"uid":0,"no_new_privs":false,"seccomp":"none"}`
	inSandbox = `{"tid":1,"start_ns":"1","state":"sandboxed","reason":null,"depth":1,"depth_exact":true,"domain":null,"view_index":null,` +
		`"uid":0,"no_new_privs":false,"seccomp":"none"}`
	freePlace  = `{"state":"unsandboxed","domain":null}`
	someWorker = `{"tid":2,"start_ns":"1","real":` + freePlace + `,"acting":` + freePlace + `}`
)

func TestReadRefuses(t *testing.T) {
	valid := golden(t)
	if _, err := Read(strings.NewReader(valid)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"schema":"landlockd/snapshot/v1"`, `"schema":"landlockd/snapshot/v2"`, "schema"},
		{`"schema":"landlockd/snapshot/v1",`, ``, "schema"},
		{`"summary":false`, `"summary":true`, "--summary"},
		{`"summary":false`, `"summary":null`, "summary: "},
		{`"ruleset_index":null`, `"ruleset_index":0`, "ruleset 0 is none of the snapshot's"},
		{`"ruleset_index":null`, `"ruleset_index":-2`, "ruleset_index: "},
		{`"log":null`, `"log":"loud"`, "domains[0].log: "},
		{`"rulesets":[]`, `"rulesets":[{"rules":1}]`, "rulesets[0].every_port: missing"},
		{`"rulesets":[]`, `"rulesets":[` + someRuleset + `,` + strings.Replace(someRuleset, `"8:1"`, `"08:1"`, 1) + `]`, "rulesets[1].inodes[0].dev"},
		{`"rulesets":[]`, `"rulesets":[` + strings.Replace(someRuleset, `"port":53`, `"port":443`, 1) + `]`, "does not ascend"},
		{`"landlock":"enabled"`, `"landlock":"maybe"`, `host.landlock: availability of Landlock "maybe": want`},
		{`"landlock":"enabled"`, `"landlock":"disabled"`, `host: it has Landlock disabled`},
		{`"abi":7`, `"abi":-1`, "host.abi: "},
		{`"source":"taskiter"`, `"source":"guess"`, `source.source: "guess" is none of`},
		{`"ids":"kernel",`, ``, "source.ids: missing"},
		{`"time":"2025-`, `"time":"year `, "scan.time: "},
		{`"duration":0.001500000`, `"duration":-1`, "scan.duration: "},
		{`"duration":0.001500000`, `"duration":1e400`, "scan.duration: "},
		{`"passes":1`, `"passes":1.5`, "scan.passes: "},
		{`"domains":[`, `"domains":null,"x":[`, "domains: want ["},
		{`"processes":[`, `"others":[`, "missing"},
		{`"id":"1e67bda0b"`, `"id":null`, "domains[1]: parent 1e67bda0b does not stand before it"},
		{`"id":"1e67bda0b"`, `"id":"0x1e67bda0b"`, "domains[0].id: "},
		{`"id":"1e67bda19"`, `"id":"1e67bda0b"`, "domains[1]: 1e67bda0b stands there twice"},
		{`"parent":"1e67bda0b"`, `"parent":"1e67bda2c"`, "domains[1]: parent"},
		{`"parent":"1e67bda0b"`, `"parent":"1e67bda19"`, "domains[1]: parent"},
		{`"parent":"1e67bda0b","depth":2`, `"parent":"1e67bda0b","depth":1`, "domains[1]: at depth 1"},
		{`"lineage":"known","handled"`, `"lineage":"told","handled"`, "domains[0].lineage: "},
		{`"handled":{"fs":"0xffff"`, `"handled":{"fs":"65535"`, "domains[0].handled.fs: "},
		{`"handled":{"fs":"0xffff"`, `"handled":{"fs":"0x1ffffffff"`, "domains[0].handled.fs: "},
		{`"rules":4`, `"rules":-4`, "domains[0].rules: "},
		{`"denials":12`, `"denials":-12`, "domains[1].denials: "},
		{`"pid":640,`, ``, "processes[1].pid: missing"},
		{`"pid":640,`, `"pid":640,"pid":640,`, "processes[1].pid: stands there twice"},
		{`"pid":640,`, `"pid":1,`, "processes[1]: pid 1 does not ascend"},
		{`"pid":640,`, `"pid":0,`, "processes[1].pid: "},
		{`"pid":640,`, `"pid":4294967936,`, "processes[1].pid: "},
		{`"pid":640,`, `"pid":"640",`, "processes[1].pid: "},
		{`"pid":640,`, `"pid":[640],`, "processes[1].pid: "},
		{`"start_ns":"640000004480"`, `"start_ns":640000004480`, "processes[1].start_ns: "},
		{`"start_ns":"640000004480"`, `"start_ns":"0640"`, "processes[1].start_ns: "},
		{`"comm":"systemd-journal"`, `"comm":"systemd-journald"`, "processes[1].comm: text of 16 bytes"},
		{`"comm":"systemd-journal"`, `"comm":"\\y"`, "processes[1].comm: "},
		{`"comm":"systemd-journal"`, "\"comm\":\"\xff\"", "processes[1].comm: "},
		{`"comm":"systemd-journal"`, `"comm":null`, "processes[1].comm: "},
		{`"/usr/bin/systemd-journald"`, `"` + strings.Repeat("/long", 1000) + `"`, "processes[1].exe: text of 5000 bytes"},
		{`"state":"sandboxed"`, `"state":"half"`, "processes[4].state: "},
		{`"state":"sandboxed"`, `"state":"unsandboxed"`, "processes[4]: pid 2301: it is unsandboxed at depth 1"},
		{`"state":"sandboxed"`, `"state":"partial"`, "processes[4]: pid 2301: "},
		{`"state":"sandboxed"`, `"state":"unknown"`, "processes[4]: pid 2301: "},
		{`"state":"unsandboxed","reason":null`, `"state":"unsandboxed","reason":"denied"`, "processes[0]: "},
		{`"state":"unsandboxed","reason":null`, `"state":"unknown","reason":"whim"`, "processes[0].reason: "},
		{`"depth":1,"depth_exact":true,"domain":"1e67bda0b"`, `"depth":3,"depth_exact":true,"domain":"1e67bda0b"`, "processes[4]: "},
		{`"domain":"1e67bda0b"`, `"domain":"1e67bda0c"`, "processes[4] (pid 2301): domain 1e67bda0c is none"},
		{`"workload_index":null`, `"workload_index":0`, "processes[0] (pid 1): workload 0 is none"},
		{`"workload_index":null`, `"workload_index":-1`, "processes[0].workload_index: "},
		{`"workloads":[`, `"workloads":[{"name":"","full_name":"","kind":"unit","unit":null,"slice":null,"cgroup":null,"delegated":false,"container":null}`, "workloads[0]: "},
		{`"workloads":[`, `"workloads":[{"name":"a\u001b","full_name":"a","kind":"unit","unit":null,"slice":null,"cgroup":null,"delegated":false,"container":null}`, "workloads[0]: "},
		{`"workloads":[`, `"workloads":[{"name":"a","full_name":"a","kind":"thing","unit":null,"slice":null,"cgroup":null,"delegated":false,"container":null}`, "workloads[0].kind: "},
		{`"workloads":[`, `"workloads":[{"name":"a","full_name":"a","kind":"container","unit":null,"slice":null,"cgroup":null,"delegated":false,"container":null}`, "workloads[0]: "},
		{`"workloads":[`, `"workloads":[{"name":"a","full_name":"a","kind":"container","unit":null,"slice":null,"cgroup":null,"delegated":false,"container":{"id":1}}`, "workloads[0].container.id: "},
		{`"workloads":[`, `"workloads":[{"name":"a","full_name":"a","kind":"container","unit":null,` +
			`"slice":null,"cgroup":null,"delegated":false,"container":{"id":null,"runtime":null,` +
			`"namespace":null,"pod":null,"pod_uid":null,"name":"a","unnamed":true}}`,
			"workloads[0].container: it is unnamed, and has a name"},
		{`"threads":1`, `"threads":0`, "processes[0].threads: "},
		{`"threads":1`, `"threads":99999999`, "processes[0].threads: "},
		{`"threads":1`, `"threads":4194304`, "processes[1]: pid 640: too many threads"},
		{`"threads":1`, `"threads":2,"tasks":[` + someTask + `]`,
			"processes[0]: pid 1: 2 threads, but 1 tasks"},
		{`"threads":1`, `"threads":1,"tasks":[` + inSandbox + `]`,
			"processes[0]: pid 1: it is unsandboxed, but its tasks say otherwise"},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(someTask, "unsandboxed", "partial", 1) + `]`,
			"processes[0].tasks[0].state: "},
		{`"threads":1`, `"threads":2,"tasks":[` +
			strings.Replace(someTask, `"tid":1`, `"tid":2`, 1) + `,` + someTask + `]`,
			"tid 1 does not ascend"},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(someTask, `"depth":0`, `"depth":1`, 1) + `]`,
			"tid 1: it is unsandboxed at depth 1"},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(inSandbox, `"depth":1`, `"depth":null`, 1) + `]`,
			"tid 1: it is sandboxed at depth 0"},
		{`"threads":1`, `"threads":1,"tasks":[` + strings.Replace(someTask, `"none"`, `"all"`, 1) +
			`]`, "processes[0].tasks[0].seccomp: "},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(someTask, `"none"`, `"strict"`, 1) + `]`,
			"seccomp of none, but its tasks say otherwise"},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(someTask, `"no_new_privs":false`, `"no_new_privs":true`, 1) + `]`,
			"no_new_privs of none"},
		{`"threads":1`, `"threads":1,"tasks":[` +
			strings.Replace(someTask, `"view_index":null`, `"view_index":0`, 1) + `]`,
			"processes[0] (pid 1): view 0 is none of its domain"},
		{`"seccomp":"none"`, `"seccomp":"some"`, "seccomp of some, but its tasks say otherwise"},
		{`"no_new_privs":"none"`, `"no_new_privs":"some"`, "no_new_privs of some"},
		{`"no_new_privs":"none"`, `"no_new_privs":false`, "processes[0].no_new_privs: "},
		{`"view_index":null`, `"view_index":0`,
			"processes[0] (pid 1): view 0 is none of its domain"},
		{`"view_index":null`, `"view_index":-1`, "processes[0].view_index: "},
		{`"depth_exact":true,"domain":null`, `"depth_exact":null,"domain":null`,
			"processes[0].depth_exact: "},
		{`"depth":1,"depth_exact":true,"domain":"1e67bda0b","lineage":"known","max_depth":1`,
			`"depth":1,"depth_exact":true,"domain":"1e67bda0b","lineage":"known","max_depth":2`,
			"processes[4] (pid 2301): it is at depths 1 to 2, but its tasks are at 1 to 1"},
		{`"views":[]`, `"views":null`, "views: want ["},
		{`"views":[],`, ``, "domains, views or processes are missing"},
		{`"views":[]`, `"views":[{"domain":"1e67bda0c","everywhere":[],"doubt":[]}]`,
			"views[0]: domain 1e67bda0c is none"},
		{`"views":[]`, `"views":[{"domain":"1e67bda19","everywhere":["0x1","0x2","0x3"],"doubt":[]}]`, "views[0]: 3 layers, but domain 1e67bda19 is at depth 2"},
		{`"views":[]`, `"views":[{"domain":"1e67bda19","everywhere":[1],"doubt":[]}]`,
			"views[0].everywhere[0]: "},
		{`"views":[]`, `"views":[{"domain":"1e67bda19","everywhere":null,"doubt":[]}]`,
			"views[0]: what is granted everywhere is known and in doubt, or neither"},
		{`"views":[]`, `"views":[{"domain":"1e67bda19","everywhere":[],"doubt":["rules_unread"]}]`,
			"views[0]: what is granted everywhere is known and in doubt, or neither"},
		{`"views":[]`, `"views":[{"domain":"1e67bda19","everywhere":null,"doubt":["whim"]}]`,
			"views[0].doubt[0]: "},
		{`"threads":1`, `"threads":1,"workers":[{"tid":2,"start_ns":"1","real":` + freePlace +
			`,"acting":{"state":"unsandboxed","domain":"1e67bda0b"}}]`,
			"processes[0].workers[0].acting: it is unsandboxed, but in a domain"},
		{`"threads":1`, `"threads":1,"workers":[{"tid":2,"start_ns":"1","real":` + freePlace +
			`,"acting":{"state":"sandboxed","domain":"1e67bda0c"}}]`,
			"processes[0] (pid 1): domain 1e67bda0c is none"},
		{`"threads":1`, `"threads":1,"workers":[{"tid":2,"start_ns":"1","real":{"state":"partial","domain":null},"acting":` + freePlace + `}]`, "processes[0].workers[0].real.state: "},
		{`"threads":1`, `"threads":1,"workers":[` + someWorker + `,` + someWorker + `]`,
			"processes[0].workers[1]: tid 2 does not ascend"},
		{`"handles_other":false`, `"handles_other":null`, "domains[0].handles_other: "},
		{`"rights":{"fs":"0xffff"`, `"rights":{"fs":"all"`, "host.rights.fs: "},
		{`"rights_unknown":{`, `"rights_unknown":null,"others":{`, "host.rights_unknown: want {"},
		{`"errata":null`, `"errata":1`, "host.errata: "},
		{`"ways_past":[]`, `"ways_past":["net.connect_tcp by magic"]`, "host.ways_past"},
		{`"domains_unread":0`, `"domains_unread":-1`, "scan.domains_unread: "},
	} {
		text := strings.Replace(valid, c.old, c.new, 1)
		if text == valid {
			t.Fatalf("the file does not have %s", c.old)
		}
		_, err := Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
			t.Errorf("%.60s instead of %s: %v; want %s", c.new, c.old, err, c.want)
		}
	}
	for _, text := range []string{"", "{}", "null", "[]", "7", `"x"`, "landlock_enabled 1\n", valid + "{}", valid[:len(valid)-3], valid[:len(valid)/2], "\x00", "{\"schema\":", strings.Repeat("[", 100000), strings.Repeat(`{"a":`, 100000)} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%.40q is taken for a snapshot", text)
		}
	}
	var w strings.Builder
	if err := Write(&w, random(rand.New(rand.NewPCG(1, 1))), Options{Summary: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(strings.NewReader(w.String())); !errors.Is(err, ErrSummary) {
		t.Errorf("a summary: %v", err)
	}
	if _, err := Read(strings.NewReader("{}")); !errors.Is(err, ErrSchema) {
		t.Errorf("another object: %v", err)
	}
}

// Names of members that are not known are anybody's text, and as many as he likes.
func TestErrorsHoldNoNames(t *testing.T) {
	valid := golden(t)
	for _, others := range []string{
		`{"evil\u001b[31m":{"evil":[1,}},`,
		`{"evil":` + strings.Repeat(`{"evil":`, 5000) + `tru`,
		`{"evil":1,,`,
	} {
		for _, at := range []string{`{`, `"host":{`, "\"processes\":[\n{"} {
			text := strings.Replace(valid, at, strings.Replace(at, `{`, others, 1), 1)
			_, err := Read(strings.NewReader(text))
			if err == nil || strings.Contains(err.Error(), "evil") || len(err.Error()) > 300 {
				t.Errorf("%.60s: %v", text, err)
			}
		}
	}
}

// endless is a file without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	const limit = 1 << 20
	end := &endless{}
	if _, err := read(end, limit); !errors.Is(err, errTooLong) || end.read > limit+1 {
		t.Errorf("after %d bytes: %v", end.read, err)
	}
	if _, err := read(io.MultiReader(strings.NewReader(golden(t)), &endless{}), limit); !errors.Is(err, errTooLong) {
		t.Errorf("behind a snapshot: %v", err)
	}
	if _, err := read(strings.NewReader(golden(t)), int64(len(golden(t)))); err != nil {
		t.Errorf("a file of exactly the limit: %v", err)
	}
}

// Whatever is read can be shown, and what is shown can be read.
func FuzzRead(f *testing.F) {
	f.Add([]byte(golden(f)))
	for seed := range uint64(20) {
		f.Add(encode(f, random(rand.New(rand.NewPCG(seed, 4)))))
	}
	f.Add([]byte(`{"host":{"":0`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		if len(s.Tasks) > 10000 {
			return // bounded, but slow to write
		}
		first := encode(t, s)
		again, err := Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if second := encode(t, again); !bytes.Equal(first, second) {
			t.Errorf("%s\nbecomes\n%s", first, second)
		}
	})
}
