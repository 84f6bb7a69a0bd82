// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// strictSchema is the schema that is shipped, but it refuses members that it
// does not define: what is written must be documented.
func strictSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile("../../docs/schema/snapshot-v1.json")
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
	for _, name := range []string{"counts", "process", "task", "domain", "workload", "container", "rights", "ruleset"} {
		shut(root["$defs"].(map[string]any)[name])
	}
	for _, name := range []string{"ports", "inodes"} {
		shut(root["$defs"].(map[string]any)["ruleset"].(map[string]any)["properties"].(map[string]any)[name].(map[string]any)["items"])
	}
	if want := 1 + 3 + 1 + 8 + 2; closed != want {
		t.Fatalf("%d objects of the schema closed, want %d", closed, want)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("snapshot-v1.json", root); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("snapshot-v1.json")
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
	hosts := []*host{shells(), mixed(), newHost()}
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		hosts = append(hosts, random(r, r.IntN(30)))
	}
	for _, h := range hosts {
		for _, o := range []JSONOptions{{}, {Summary: true}} {
			var first, second bytes.Buffer
			if err := JSON(&first, &h.Snapshot, o); err != nil {
				t.Fatal(err)
			}
			if err := JSON(&second, &h.Snapshot, o); err != nil {
				t.Fatal(err)
			}
			validate(t, schema, first.Bytes())
			checkSafe(t, first.String())
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
	if err := JSON(&w, &mixed().Snapshot, JSONOptions{}); err != nil {
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
		Comm, Exe, Domain string
		Start             json.Number
		StartNS           string `json:"start_ns"`
		CgroupID          string `json:"cgroup_id"`
		Tasks             []struct{ TID int32 }
	}
}

func decode(t *testing.T, s *scan.Snapshot) decoded {
	t.Helper()
	var w bytes.Buffer
	if err := JSON(&w, s, JSONOptions{}); err != nil {
		t.Fatal(err)
	}
	var d decoded
	if err := json.Unmarshal(w.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJSONKeepsEveryDigit(t *testing.T) {
	h := newHost()
	p := h.process(1, 0, "old", in(h.domain(math.MaxUint64, domainid.Outermost)))
	p.Start, p.CgroupID = math.MaxUint64, math.MaxUint64
	got := decode(t, &h.Snapshot).Processes[0]
	if got.StartNS != "18446744073709551615" || got.Start != "18446744073.709551615" ||
		got.CgroupID != "18446744073709551615" || got.Domain != "ffffffffffffffff" {
		t.Errorf("%+v", got)
	}
}

func TestJSONNamesNeverCollide(t *testing.T) {
	names := []string{"\xff", `\xff`, `\\xff`, "\ufffd", "\xff\xfe", "\u202e", "\u200b", "a", "a ", "a\n", "\xc3", "é"}
	h := newHost()
	for i, name := range names {
		h.process(int32(i+1), 0, name, free()).Exe = name
	}
	comms, exes := map[string]bool{}, map[string]bool{}
	for i, p := range decode(t, &h.Snapshot).Processes {
		if comms[p.Comm] || exes[p.Exe] {
			t.Errorf("%q looks like another name: %q", names[i], p.Exe)
		}
		comms[p.Comm], exes[p.Exe] = true, true
		if back, err := DecodeText(p.Exe); err != nil || back != names[i] {
			t.Errorf("%q came back as %q: %v", names[i], back, err)
		}
	}
}

// The order of domains in a snapshot means nothing, so it must not show.
func TestJSONDomainOrder(t *testing.T) {
	build := func(swap bool) *scan.Snapshot {
		h := newHost()
		ids := []domainid.ID{0xa, 0xb}
		if swap {
			ids = []domainid.ID{0xb, 0xa}
		}
		index := map[domainid.ID]int32{}
		for _, id := range ids {
			index[id] = h.domain(id, domainid.Outermost)
		}
		h.process(1, 0, "one", in(index[0xb]))
		h.process(2, 0, "two", in(index[0xa]))
		return &h.Snapshot
	}
	for _, write := range texts() {
		var a, b bytes.Buffer
		if write(&a, build(false)) != nil || write(&b, build(true)) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("\n%s\n%s", &a, &b)
		}
	}
	a, b := decode(t, build(false)), decode(t, build(true))
	if a.Domains[0] != b.Domains[0] || a.Domains[0].ID != "b" {
		t.Errorf("%v, %v", a.Domains, b.Domains)
	}
}

func TestJSONTasksOnlyWhereTheyDiffer(t *testing.T) {
	h := newHost()
	d := h.domain(0xa, domainid.Outermost)
	h.process(10, 0, "same", in(d), in(d))
	h.process(20, 0, "partial", in(d), free())
	got := decode(t, &h.Snapshot).Processes
	if got[0].Tasks != nil || got[0].Domain != "a" {
		t.Errorf("alike tasks: %+v", got[0])
	}
	if len(got[1].Tasks) != 2 || got[1].Tasks[1].TID != 21 || got[1].Domain != "" {
		t.Errorf("different tasks: %+v", got[1])
	}
}
