// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

const runsSchema = "../../docs/schema/runs-v1.json"

// checkRuns fails unless an answer has the documented form and does nothing to a terminal.
func checkRuns(t testing.TB, text []byte) {
	t.Helper()
	if err := validRuns(t, text); err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
	if what := hosts.Unsafe(strings.ReplaceAll(string(text), "\n", "")); what != "" {
		t.Errorf("%q has %s", text, what)
	}
}

// validRuns returns an error unless an answer has the documented form.
func validRuns(t testing.TB, text []byte) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(runsSchema)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// TestReasonsOfRuns: what a rule found has a reason if, and only if, it was not as expected.
func TestReasonsOfRuns(t *testing.T) {
	for result, has := range map[string]bool{
		"compliant": false, "violating": true, "short": true, "unknown": false,
	} {
		for reason, valid := range map[string]bool{"": !has, "partial": has} {
			text, err := json.Marshal(Runs{
				Schema: RunsSchema, Way: scan.RunsTracepoints, Since: &since, Runs: []runs.Ended{{
					Count: 1, Rules: []runs.EndedRule{{Rule: "a", Severity: "info", Result: result, Reason: reason}},
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := validRuns(t, text); (err == nil) != valid {
				t.Errorf("%s with %q: %v", result, reason, err)
			}
		}
	}
}

// TestRunsDocs: the example in docs/api.md has the form of the schema, and the page has each
// of its members.
func TestRunsDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## `GET /v1/runs`\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, example, _ := strings.Cut(section, "```json\n")
	example, _, _ = strings.Cut(example, "```")
	checkRuns(t, []byte(example))
	var a Runs
	if err := json.Unmarshal([]byte(example), &a); err != nil || len(a.Runs) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	text, err := os.ReadFile(runsSchema)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, of := range []map[string]any{schema.Properties, schema.Defs["run"].Properties, schema.Defs["rule"].Properties} {
		for name := range of {
			n++
			if !strings.Contains(section, "`"+name+"`") && name != "schema" && name != "runs" {
				t.Errorf("docs/api.md does not have `%s`", name)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d members: the test is wrong", n)
	}
}

// ended is a cell of one process that ended outside of a sandbox.
func ended(pid int32) runs.Cell {
	return runs.Cell{
		Key: runs.Key{
			State: scan.Unsandboxed, Exe: fmt.Sprintf("/bin/\xff\x1b[2J-%d", pid), ExeOrigin: scan.OfHost,
			Cgroup: "/system.slice/a.service", UID: 993,
		},
		Count: 3, Last: runs.Last{PID: pid, Start: 1, End: 2_000_000_001, Comm: scan.Comm{'a', '\n'}},
	}
}

// TestRuns: what ended since the last scrape is there, as it was.
func TestRuns(t *testing.T) {
	h := newHost(t, ended(7), ended(8))
	status, text := get(t, h.socket, runsPath)
	if status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	checkRuns(t, []byte(text))
	a, err := AskRuns(t.Context(), h.socket, 8)
	if err != nil {
		t.Fatal(err)
	}
	if a.Remembered != 2 || len(a.Runs) != 1 || !a.Since.Equal(since) {
		t.Fatalf("%+v", a)
	}
	if e := a.Runs[0]; e.PID != 8 || e.Count != 3 || e.Age != 2*time.Second || e.State != scan.Unsandboxed ||
		e.Exe != "/bin/\xff\x1b[2J-8" || e.Comm != "a\n" || e.UID != 993 {
		t.Errorf("%+v", e)
	}
}

// TestQueryAbout: all that is asked for must hold.
func TestQueryAbout(t *testing.T) {
	e := runs.Ended{PID: 7, Workload: "a", Rules: []runs.EndedRule{{Rule: "x"}, {Rule: "y"}}}
	for text, want := range map[string]bool{
		"": true, "pid=7": true, "pid=8": false, "workload=a": true, "workload=b": false,
		"rule=x": true, "rule=y": true, "rule=z": false, "pid=7&workload=a&rule=y": true,
		"pid=7&workload=a&rule=z": false, "pid=7&workload=b&rule=y": false, "pid=8&workload=a": false,
	} {
		q, err := parseQuery(text, "pid", "workload", "rule")
		if err != nil || q.about(&e) != want {
			t.Errorf("%s: %v, %v", text, !want, err)
		}
	}
}

// largest has the longest text that there can be, where each byte takes six in JSON.
func largest() runs.Ended {
	const maxPath, maxName = 4095, 128
	e := runs.Ended{
		Time: time.Unix(1<<33, 1), Count: 1 << 60, PID: 1<<31 - 1, Start: 1 << 63, Age: 1 << 62,
		Comm: strings.Repeat("\x1b", 15), Exe: strings.Repeat("\x1b", maxPath), UID: scan.NoUser - 1,
		Workload: strings.Repeat("\x1b", maxName), State: scan.Sandboxed, Depth: 1<<16 - 1,
	}
	for range runs.MaxEndedRules {
		e.Rules = append(e.Rules, runs.EndedRule{
			Rule: strings.Repeat("x", 63), Severity: "critical", Result: "violating",
			Reason: "right_not_restricted",
		})
	}
	return e
}

// TestLargestRuns: the longest answer is one that the client reads.
func TestLargestRuns(t *testing.T) {
	since := time.Unix(1<<33, 1)
	a := Runs{Schema: RunsSchema, Way: scan.RunsTracepoints, Since: &since, Remembered: runs.MaxRecent}
	for range runs.MaxRecent {
		a.Runs = append(a.Runs, largest())
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	checkRuns(t, text)
	back, err := AskRuns(t.Context(), answering(t, ok(string(text))), 1)
	if err != nil || len(back.Runs) != runs.MaxRecent || back.Runs[0].Exe != a.Runs[0].Exe {
		t.Errorf("%d bytes: %v", len(text), err)
	}
}

// FuzzAskRuns: whatever answers, an answer that is taken can be written again, and then has
// the same meaning.
func FuzzAskRuns(f *testing.F) {
	e := runs.Ended{Kind: runs.Launch, PID: 7, Start: 1, Age: 1, Comm: "\xff", State: scan.Partial, Rules: []runs.EndedRule{
		{Rule: "a", Severity: "info", Result: "short", Reason: "partial"},
	}}
	good, err := json.Marshal(Runs{Schema: RunsSchema, Way: Off, Runs: []runs.Ended{e}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema":"landlockd/runs/v1","way":"x","runs":[{"kind":"run","pid":1,"age":1e300}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, b Runs
		if json.Unmarshal(text, &a) != nil || a.check() != nil {
			return
		}
		again, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &b); err != nil || b.check() != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if twice, err := json.Marshal(b); err != nil || !bytes.Equal(twice, again) {
			t.Fatalf("%s\nbecame\n%s (%v)", again, twice, err)
		}
	})
}
