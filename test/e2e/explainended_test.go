// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

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
