// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/hosts"
	"github.com/landlockd/landlockd/test/testenv"
)

// never is a PID that no process has.
const never = "2147483647"

// TestExplainEnded: what a daemon says of a process that has ended, whatever daemon that is.
func TestExplainEnded(t *testing.T) {
	testenv.NeedRoot(t)
	const one = `{"time":"2025-06-15T15:08:20Z","count":1,"kind":"run","pid":%s,"start_ns":"1","age":1.5,` +
		`"comm":"\u001b[2J","exe":"/\\xff","exe_cut":false,"exe_deleted":false,"exe_origin":"host","uid":7,` +
		`"workload":"a.service","state":"unsandboxed","depth":0,"rules":[]}`
	answers := func(pids ...string) string {
		all := make([]string, len(pids))
		for i, pid := range pids {
			all[i] = fmt.Sprintf(one, pid)
		}
		return `{"schema":"landlockd/runs/v1","way":"tracepoints","since":"2025-06-15T06:00:02Z","lost":0,` +
			`"remembered":9,"runs":[` + strings.Join(all, ",") + `]}`
	}
	const missing = "there is no process " + never
	for name, c := range map[string]struct {
		answer string
		code   int
		want   string
	}{
		"it is remembered":      {answers(never), 0, `Process ` + never + ` ("\x1b[2J") has ended; it was unsandboxed`},
		"one of several":        {answers("7", never), 0, `of the last 9 that ended`},
		"another one":           {answers("7"), 3, missing},
		"none":                  {answers(), 3, missing},
		"of another form":       {`{"schema":"landlockd/runs/v2"}`, 3, missing},
		"an error":              {`{"schema":"landlockd/error/v1","error":"x","message":"\u001b[2J"}`, 3, missing},
		"nothing that is known": {"\x1b[2J", 3, missing},
		"what a client refuses": {answers("-1"), 3, missing},
	} {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan string, 2)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/snapshot" { // it scans itself then
				w.WriteHeader(http.StatusForbidden)
				return
			}
			asked <- r.URL.String()
			_, _ = io.WriteString(w, c.answer)
		})}
		go func() { _ = server.Serve(l) }()
		flag := apiFlag + socket
		p := run(t, "explain", never, flag)
		code := p.wait(t)
		text := p.stdout.String() + p.stderr.String()
		if code != c.code || !strings.Contains(text, c.want) || strings.ContainsRune(text, 0x1b) {
			t.Errorf("%s: exit code %d: %s", name, code, text)
		}
		if url := <-asked; url != "/v1/runs?pid="+never {
			t.Errorf("%s: it asked for %q", name, url)
		}
		if code == 0 {
			var j struct{ Runs []struct{ PID json.Number } }
			if err := json.Unmarshal([]byte(explain(t, never, flag, "-o", "json")), &j); err != nil ||
				len(j.Runs) != 1 || j.Runs[0].PID != never {
				t.Errorf("%s: %+v, %v", name, j, err)
			}
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestExplainWhatRanBriefly: a process that no scan saw is explained by the confined daemon, and
// at its socket alone.
func TestExplainWhatRanBriefly(t *testing.T) {
	program := copyOfCat(t, "odd\x1b\u202e")
	c := newConfig(t, "rules:\n"+ruleText("brief", program))
	flag := apiFlag + filepath.Join(testenv.PublicDir(t), "s")
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require", c.flag(), flag}})
	tree := newCgroupTree(t)
	const unit = "llbrief.service"
	inside := tree.inside(unit, "sh", "-c", `echo $$; exec "$0" /dev/null`, program)
	p := launch(t, nil, inside...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &p.stderr)
	}
	pid := strings.TrimSpace(p.stdout.String())
	brief := explain(t, pid, flag)
	wants(t, brief, "Process "+pid+` ("odd\x1b\u202e") has ended; it was unsandboxed`+"\n",
		`/odd\x1b\u202e"`+"\n", "  workload    "+unit+"\n", " s old\n", "  ran as      user 0\n",
		"  - brief (warning): violating; unsandboxed\n")
	text := explain(t, pid, flag, "-o", "json")
	hosts.CheckSafe(t, brief)
	hosts.CheckSafe(t, text)
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/runs-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
	for _, path := range []string{"/v1/runs", "/v1/denials", "/v1/runs?pid=" + pid} {
		if status, body := d.try(path); status != http.StatusNotFound || strings.Contains(body, program) {
			t.Errorf("%s by TCP: %d %s", path, status, body)
		}
	}
	nobody := runWith(t, asNobody(unix.CAP_BPF, unix.CAP_PERFMON), "explain", pid, flag)
	if code := nobody.wait(t); code != 3 || !strings.Contains(nobody.stderr.String(), "there is no process "+pid) {
		t.Errorf("for nobody: exit code %d: %s", code, &nobody.stderr)
	}
	d.stop(t)
}
