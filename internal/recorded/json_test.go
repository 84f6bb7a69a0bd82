// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// strictSchema is the schema that is shipped, but it refuses members that it
// does not define: what is written must be documented.
func strictSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	root := parsed.(map[string]any)
	closed := 0
	shut := func(object any) {
		object.(map[string]any)["unevaluatedProperties"] = false
		closed++
	}
	shut(root)
	for _, part := range []map[string]any{root, root["$defs"].(map[string]any)["counts"].(map[string]any), root["$defs"].(map[string]any)["domain"].(map[string]any)} {
		for _, member := range part["properties"].(map[string]any) {
			if _, isObject := member.(map[string]any)["properties"]; isObject {
				shut(member)
			}
		}
	}
	for _, name := range []string{"counts", "briefProcess", "task", "domain", "workload", "container",
		"rights", "ruleset", "view", "worker", "place"} {
		shut(root["$defs"].(map[string]any)[name])
	}
	for _, name := range []string{"ports", "inodes"} {
		shut(root["$defs"].(map[string]any)["ruleset"].(map[string]any)["properties"].(map[string]any)[name].(map[string]any)["items"])
	}
	if want := 1 + 3 + 1 + 11 + 2; closed != want {
		t.Fatalf("%d objects of the schema closed, want %d", closed, want)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaFile, root); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := schema.Validate(value); err != nil {
		t.Fatalf("%#v\n%s", err, text)
	}
}

func TestJSONFollowsSchema(t *testing.T) {
	schema := strictSchema(t)
	all := []*hosts.Host{hosts.Shells(), hosts.Mixed(), hosts.New()}
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		all = append(all, hosts.RandomNames(r, r.IntN(30)))
	}
	for _, h := range all {
		for _, o := range []Options{{}, {Summary: true}, {Brief: true}} {
			var first, second bytes.Buffer
			if err := Write(&first, &h.Snapshot, o); err != nil {
				t.Fatal(err)
			}
			if err := Write(&second, &h.Snapshot, o); err != nil {
				t.Fatal(err)
			}
			validate(t, schema, first.Bytes())
			hosts.CheckSafe(t, first.String())
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Fatalf("written twice, it differs:\n%s\n%s", &first, &second)
			}
		}
	}
}

// The schema must be able to fail: each of these is one change to valid output.
func TestSchemaRefuses(t *testing.T) {
	schema := strictSchema(t)
	var w strings.Builder
	if err := Write(&w, &hosts.Mixed().Snapshot, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"schema":"landlockd/snapshot/v1"`, `"schema":"landlockd/snapshot/v2"`},
		{`"summary":false`, `"summary":true`},
		{`"pid":101,`, ``},
		{`"start_ns":"101000000707"`, `"start_ns":101000000707`},
		{`"domain":"1e67bda0b"`, `"domain":"0x1e67bda0b"`},
		{`"domain":"1e67bda0b"`, `"domain":8127955467`},
		{`"state":"partial"`, `"state":"half"`},
		{`"depth":null`, `"depth":0`},
		{`"fs":"0xffff"`, `"fs":65535`},
		{`"comm":"child"`, `"comm":"child","name":"child"`},
		{`"comm":"child"`, `"comm":"\\xZZ"`},
		{`"kind":"user_unit"`, `"kind":"service"`},
		{`"cgroup":"/"`, `"cgroup":0`},
		{`"workload_index":0,`, ``},
		{`"pod_uid":null`, `"pod":"web"`},
		{`"container":null`, `"container":{}`},
		{`"ineffective":"yes"`, `"ineffective":true`},
		{`"outside":"unknown"`, `"outside":null`},
		{`"doubt":["rules_unread"]`, `"doubt":["whim"]`},
		{`"everywhere":["0xc"],"doubt":[]`, `"everywhere":["0xc"],"doubt":["rules_unread"]`},
		{`"everywhere":null,"doubt":["root_changing"]`, `"everywhere":null,"doubt":[]`},
		{`"everywhere":["0xc"]`, `"everywhere":[12]`},
		{`"every_port":"0x2"`, `"every_port":2`},
		{`"view_index":0`, `"view_index":-1`},
		{`"uids":[1000,1001]`, `"uids":[1000,1000]`},
		{`"uids":[1000]`, `"uids":[]`},
		{`"seccomp":"strict"`, `"seccomp":1`},
		{`"no_new_privs":"some"`, `"no_new_privs":"2 of 3"`},
		{`"real":{`, `"real":null,"other":{`},
		{`"errata":"0x5"`, `"errata":5`},
		{`"rights":{`, `"rights":null,"others":{`},
		{`"domains_unread":3`, `"domains_unread":null`},
		{`"ineffective_processes":2`, `"ineffective_processes":"2"`},
		{`"time":"2025-03-01T11:00:00.00000025Z"`, `"time":"yesterday"`},
	} {
		text := strings.Replace(w.String(), change[0], change[1], 1)
		if text == w.String() {
			t.Fatalf("output does not have %s", change[0])
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: %s", err, change[1])
		}
		if schema.Validate(value) == nil {
			t.Errorf("%s instead of %s is accepted", change[1], change[0])
		}
	}
}

// decoded is what a reader in another language would define.
type decoded struct {
	Domains   []struct{ ID string }
	Processes []struct {
		PID               int32
		Comm, Exe, Domain string
		Start             json.Number
		StartNS           string `json:"start_ns"`
		CgroupID          string `json:"cgroup_id"`
		Tasks             []struct{ TID int32 }
		ViewIndex         *int `json:"view_index"`
	}
	Views []struct{ Everywhere []string }
}

func decode(t *testing.T, s *scan.Snapshot) decoded {
	t.Helper()
	var w bytes.Buffer
	if err := Write(&w, s, Options{}); err != nil {
		t.Fatal(err)
	}
	var d decoded
	if err := json.Unmarshal(w.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJSONKeepsEveryDigit(t *testing.T) {
	h := hosts.New()
	p := h.Process(1, 0, "old", hosts.In(h.Domain(math.MaxUint64, domainid.Outermost)))
	p.Start, p.CgroupID = math.MaxUint64, math.MaxUint64
	got := decode(t, &h.Snapshot).Processes[0]
	if got.StartNS != "18446744073709551615" || got.Start != "18446744073.709551615" ||
		got.CgroupID != "18446744073709551615" || got.Domain != "ffffffffffffffff" {
		t.Errorf("%+v", got)
	}
}

func TestJSONNamesNeverCollide(t *testing.T) {
	names := []string{"\xff", `\xff`, `\\xff`, "\ufffd", "\xff\xfe", "\u202e", "\u200b", "a", "a ", "a\n", "\xc3", "é"}
	h := hosts.New()
	for i, name := range names {
		h.Process(int32(i+1), 0, name, hosts.Free()).Exe = name
	}
	comms, exes := map[string]bool{}, map[string]bool{}
	for i, p := range decode(t, &h.Snapshot).Processes {
		if comms[p.Comm] || exes[p.Exe] {
			t.Errorf("%q looks like another name: %q", names[i], p.Exe)
		}
		comms[p.Comm], exes[p.Exe] = true, true
		if back, err := untrusted.DecodeText(p.Exe); err != nil || back != names[i] {
			t.Errorf("%q came back as %q: %v", names[i], back, err)
		}
	}
}

// The order of domains in a snapshot means nothing, so it must not show.
func TestJSONDomainOrder(t *testing.T) {
	a, b := encode(t, hosts.TwoDomains(false)), encode(t, hosts.TwoDomains(true))
	if !bytes.Equal(a, b) {
		t.Errorf("\n%s\n%s", a, b)
	}
	if d := decode(t, hosts.TwoDomains(true)).Domains[0]; d.ID != "b" {
		t.Errorf("%v", d)
	}
}

// A chain of 100 000 processes must not take a stack or quadratic time.
func TestJSONLongChain(t *testing.T) {
	h := hosts.New()
	d := h.Domain(0xa, domainid.Outermost)
	for pid := int32(1); pid <= 100_000; pid++ {
		h.Process(pid, pid-1, "link", hosts.In(d))
	}
	h.Conclude()
	if text := encode(t, &h.Snapshot); len(text) > 2000*len(h.Processes) {
		t.Errorf("%d bytes", len(text))
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrors(t *testing.T) {
	if err := Write(brokenWriter{}, &hosts.Shells().Snapshot, Options{}); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func TestJSONTasksOnlyWhereTheyDiffer(t *testing.T) {
	h := hosts.New()
	d := h.Domain(0xa, domainid.Outermost)
	read, unread := h.View(d, 1), h.View(d)
	h.Process(10, 0, "same", hosts.In(d), hosts.In(d))
	h.Process(20, 0, "same-view", hosts.As(0, scan.SeccompFilter, hosts.Seen(d, read)),
		hosts.As(0, scan.SeccompFilter, hosts.Seen(d, read)))
	differ := h.Process(30, 0, "partial", hosts.In(d), hosts.Free()).PID
	h.Process(40, 0, "views", hosts.Seen(d, read), hosts.Seen(d, unread))
	h.Process(50, 0, "users", hosts.As(1, 0, hosts.In(d)), hosts.As(2, 0, hosts.In(d)))
	h.Process(60, 0, "hardening", hosts.As(0, scan.NoNewPrivs, hosts.In(d)), hosts.In(d))
	h.Process(70, 0, "strict", hosts.As(0, scan.SeccompStrict, hosts.In(d)))
	h.Process(80, 0, "depths", hosts.In(domainid.Outermost), hosts.In(domainid.Outermost))
	h.Tasks[len(h.Tasks)-1].Depth = 7
	h.Process(90, 0, "moving", hosts.Free()).State = scan.Unknown
	for _, p := range decode(t, &h.Snapshot).Processes {
		tasks := int(h.Find(p.PID).NumTasks)
		switch {
		case p.PID < differ && p.Tasks != nil:
			t.Errorf("alike tasks of %s: %+v", p.Comm, p)
		case p.PID >= differ && (len(p.Tasks) != tasks || p.Tasks[0].TID != p.PID):
			t.Errorf("different tasks of %s: %+v", p.Comm, p)
		}
		one := p.Comm != "partial" && p.Comm != "depths" && p.Comm != "moving"
		if (p.Domain == "a") != one {
			t.Errorf("domain of %s: %q", p.Comm, p.Domain)
		}
		if (p.ViewIndex != nil) != (p.Comm == "same-view") {
			t.Errorf("view of %s: %v", p.Comm, p.ViewIndex)
		}
	}
}

// Views are numbered in the order of the domains in the output, which is not that
// of the snapshot.
func TestJSONViews(t *testing.T) {
	h := hosts.New()
	a, b := h.Domain(0xa, domainid.Outermost), h.Domain(0xb, domainid.Outermost)
	first, second, other := h.View(a, 1), h.View(b, 2), h.View(b, 3)
	h.Process(1, 0, "one", hosts.Seen(b, other))
	h.Process(2, 0, "two", hosts.Seen(a, first))
	h.Process(3, 0, "three", hosts.Seen(b, second))
	h.Process(4, 0, "four", hosts.Seen(a, second)) // of no source: a view of another domain
	got := decode(t, &h.Snapshot)
	want := map[int32]string{1: "0x3", 2: "0x1", 3: "0x2"}
	if len(got.Views) != 3 || got.Views[2].Everywhere[0] != "0x1" {
		t.Errorf("%+v", got.Views)
	}
	for _, p := range got.Processes {
		mask := ""
		if p.ViewIndex != nil {
			mask = got.Views[*p.ViewIndex].Everywhere[0]
		}
		if mask != want[p.PID] {
			t.Errorf("%s has %q, want %q", p.Comm, mask, want[p.PID])
		}
	}
}
