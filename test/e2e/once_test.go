// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestOnceMetrics(t *testing.T) {
	testenv.NeedRoot(t)
	p := run(t, "once")
	if code := p.wait(t); code != 0 || p.stderr.String() != "" {
		t.Fatalf("exit code %d: %s", code, &p.stderr)
	}
	promtool(t, p.stdout.String())
	m := parseMetrics(t, p.stdout.String())
	m.has(t, "landlock_enabled", 1)
	m.has(t, "landlockd_scan_success", 1)
	for name := range m {
		if !strings.HasPrefix(name, "landlock") || strings.Contains(name, "_total") {
			t.Errorf("a single run has no runtime and no counters: %s", name)
		}
	}
}

func TestOnceTextfile(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	path := filepath.Join(dir, "landlockd.prom")
	for range 2 { // the second replaces the first
		p := run(t, "once", "--textfile="+path)
		if code := p.wait(t); code != 0 || p.stdout.String() != "" || p.stderr.String() != "" {
			t.Fatalf("exit code %d: %s%s", code, &p.stdout, &p.stderr)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		promtool(t, string(b))
		parseMetrics(t, string(b)).has(t, "landlockd_scan_success", 1)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v: node_exporter could not read it", st.Mode(), err)
	}
}

func TestOnceTextfileThatCannotBeWritten(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing/x.prom")
	checkRefusal(t, run(t, "once", "--textfile="+missing), exitFailure, missing, "no such file")
	// Nor is what stands there replaced, if it is no regular file.
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "taken"), link} {
		checkRefusal(t, run(t, "once", "--textfile="+path), exitUsage, path, "no regular file")
	}
	if to, err := os.Readlink(link); err != nil || to != "/dev/null" {
		t.Errorf("the link is now %q, %v", to, err)
	}
	readOnly := filepath.Join(dir, "x.prom")
	p := runWith(t, asNobody(unix.CAP_BPF, unix.CAP_PERFMON), "once", "--textfile="+readOnly)
	checkRefusal(t, p, exitFailure, dir, "permission denied")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestOnceFullDisk(t *testing.T) {
	testenv.NeedRoot(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{{"once"}, {"once", "--format=json"}, {"tree", "--all"}, {"tree", "--domains"}} {
		p := launch(t, stdoutTo(full), append([]string{landlockd}, args...)...)
		checkRefusal(t, p, exitFailure, "no space left")
	}
}

func TestOnceJSON(t *testing.T) {
	testenv.NeedRoot(t)
	partial := stay(t, true, self, roleArg, "partial")
	shells := nestedShells(t)
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/snapshot-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"once", "--format=json"}, {"once", "--format=json", "--summary"}} {
		p := run(t, args...)
		if code := p.wait(t); code != 0 || p.stderr.String() != "" {
			t.Fatalf("exit code %d: %s", code, &p.stderr)
		}
		text := p.stdout.String()
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: no JSON: %v", args, err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		summary := len(args) == 3
		for _, name := range []string{`"comm"`, `"exe"`, `"pid"`, "e2e.test"} {
			if strings.Contains(text, name) == summary {
				t.Errorf("%v: %s is there: %v", args, name, !summary)
			}
		}
	}
	s := takeSnapshot(t)
	if p := s.find(partial.cmd.Process.Pid); p == nil || len(p.Tasks) != p.Threads {
		t.Errorf("tasks that differ are not all there: %+v", p)
	}
	if p := s.find(shells[2]); p == nil || *p.Depth != 3 {
		t.Errorf("the innermost shell: %+v", p)
	}
}
