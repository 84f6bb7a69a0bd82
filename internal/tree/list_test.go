// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// pids are those of a host's processes that a filter keeps, in an order.
func pids(s *scan.Snapshot, f Filter, by string) string {
	kept := Processes(s, &f)
	Sort(s, kept, by)
	var all []string
	for _, i := range kept {
		all = append(all, fmt.Sprint(s.Processes[i].PID))
	}
	return strings.Join(all, " ")
}

func TestFilter(t *testing.T) {
	h := hosts.Mixed()
	h.Conclude()
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{States: []string{"partial", "unknown"}}, "100 300 310 410"},
		{Filter{States: []string{"ineffective"}}, "450 451"},
		{Filter{PIDs: []int32{100, 101, 7}}, "100 101"},
		{Filter{PIDs: []int32{100, 101}, States: []string{"sandboxed"}}, "101"},
		{Filter{Domain: 0x300000001}, "400 410 420"},
		{Filter{Domain: 0x300000002}, "400 410"},
		{Filter{Domain: 0x77}, ""},
		{Filter{Workloads: []string{"shop/*", "none"}}, "300 450 500"},
		{Filter{Rights: []string{"net.*"}, PIDs: []int32{1, 100, 450}}, "100"},
		{Filter{Rights: []string{"fs.read_file"}, PIDs: []int32{1, 100, 450}}, ""},
	} {
		if got := pids(&h.Snapshot, c.f, "pid"); got != c.want {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
	}
	if f := (Filter{}); !f.Empty() || len(Processes(&h.Snapshot, &f)) != len(h.Processes) {
		t.Error("a filter of nothing keeps all")
	}
}

func TestSortProcesses(t *testing.T) {
	h := hosts.Mixed()
	some := Filter{PIDs: []int32{1, 100, 101, 300, 400, 450}}
	for by, want := range map[string]string{
		"pid":      "1 100 101 300 400 450",
		"state":    "100 1 300 450 101 400",
		"depth":    "1 100 300 101 450 400",
		"age":      "1 100 101 300 400 450",
		"workload": "1 100 101 300 450 400",
		"command":  "101 400 450 300 1 100",
	} {
		if got := pids(&h.Snapshot, some, by); got != want {
			t.Errorf("by %s: %s, want %s", by, got, want)
		}
	}
}

// TestListOfRandomHosts: rows fit into a terminal, JSON has the form of the schema, and
// neither acts on a terminal.
func TestListOfRandomHosts(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/processes-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(11, 12))
	for range 100 {
		h := hosts.RandomNames(r, r.IntN(30))
		h.NameWorkloads()
		all := Processes(&h.Snapshot, &Filter{})
		var text, wide, whole, lines bytes.Buffer
		if err := List(&text, &h.Snapshot, all, table.Style{Width: 100}, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if n := untrusted.Columns(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Fatalf("%d columns: %s", n, line)
			}
		}
		if n := strings.Count(text.String(), "\n"); len(all) > 0 && n != len(all)+1 {
			t.Fatalf("%d lines for %d processes", n, len(all))
		}
		if err := List(&wide, &h.Snapshot, all, table.Style{ASCII: true}, true); err != nil {
			t.Fatal(err)
		}
		if err := JSON(&whole, &h.Snapshot, all, "daemon"); err != nil {
			t.Fatal(err)
		}
		hosts.CheckSafe(t, text.String()+wide.String()+whole.String())
		value, err := jsonschema.UnmarshalJSON(&whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%#v", err)
		}
		if err := JSONLines(&lines, &h.Snapshot, all); err != nil {
			t.Fatal(err)
		}
		read := json.NewDecoder(&lines)
		for _, i := range all {
			var one struct{ PID int32 }
			if err := read.Decode(&one); err != nil || one.PID != h.Processes[i].PID {
				t.Fatalf("%+v, %v", one, err)
			}
		}
	}
}

// Where there is no room for a path, it is still shown that there is another one.
func TestCommandFits(t *testing.T) {
	p := &hosts.Mixed().Processes[1]
	for room, want := range map[int]string{
		0: "worker [exe /opt/worker/bin/python3.12]", 80: "worker [exe /opt/worker/bin/python3.12]",
		36: `worker [exe "/opt/worker/bin/pyth"…]`, 20: "worker [exe]", 1: "worker [exe]",
	} {
		if got := (Options{}).command(p, room); got != want {
			t.Errorf("room %d: %s, want %s", room, got, want)
		}
	}
}
