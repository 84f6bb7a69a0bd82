// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// exitUndecided is check's code for what it could not decide.
const exitUndecided = 3

// ownProgram copies cat to a path that no other process on the host has.
func ownProgram(t *testing.T) string {
	t.Helper()
	return copyOfCat(t, "program")
}

func copyOfCat(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(testenv.NeedTool(t, "cat"))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(testenv.PublicDir(t), name), string(b), 0o755)
}

// runs starts a program that stays, and waits until it is what it is to be.
func runs(t *testing.T, args ...string) int {
	t.Helper()
	program := args[len(args)-1]
	p := stay(t, false, args...)
	eventually(t, program+" runs", func() bool {
		found := takeSnapshot(t).find(p.cmd.Process.Pid)
		return found != nil && found.Exe != nil && *found.Exe == program
	})
	return p.cmd.Process.Pid
}

// checks runs a command and compares the exit code.
func checks(t *testing.T, code int, args ...string) *process {
	t.Helper()
	p := run(t, args...)
	if got := p.wait(t); got != code {
		t.Errorf("%v: exit code %d, want %d\n%s%s", args, got, code, &p.stdout, &p.stderr)
	}
	return p
}

// rulesFor writes a configuration with one rule about a program.
func rulesFor(t *testing.T, program, more string) string {
	t.Helper()
	text := fmt.Sprintf("rules:\n  - name: own\n    match: {exe: [%q]}\n    expect: {state: [sandboxed]}\n    grace: 0s\n%s", program, more)
	return write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"), text, 0o644)
}

func TestCheckOneProcess(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	inside, outside := fmt.Sprint(runs(t, sandboxed(2, program)...)), fmt.Sprint(runs(t, program))
	partial := fmt.Sprint(stay(t, true, self, roleArg, "partial").cmd.Process.Pid)
	for _, c := range []struct {
		pid, expect string
		code        int
		want        string
	}{
		{inside, "state=sandboxed", 0, `^compliant: process \d+ \(program\) is sandboxed at depth \d+`},
		{inside, "min_depth=2", 0, "^compliant: "},
		{inside, "state=sandboxed,min_depth=16", exitFailure, "^violating: "},
		{inside, "max_depth=16", 0, "^compliant: "},
		{inside, "max_depth=1", exitFailure,
			`^violating: .*; its deepest task is at depth \d+, want at most 1`},
		{inside, "state=unsandboxed", exitFailure,
			"^violating: .*; its tasks are in a domain, want none"},
		{outside, "state=unsandboxed", 0, "^compliant: "},
		{partial, "state=unsandboxed", exitFailure,
			"^violating: .*; some of its tasks are in a domain, want none"},
		{inside, "restricts=fs.make_char,fs.make_dir", 0, "^compliant: "},
		{inside, "restricts=net.*", exitFailure, "^violating: "},
		{outside, "state=sandboxed", exitFailure, `^violating: process \d+ \(program\) is unsandboxed`},
		{partial, "state=sandboxed", exitFailure, "^violating: .*partial"},
		{partial, "state=sandboxed,partial", 0, "^compliant: "},
	} {
		args := []string{"check", "--pid=" + c.pid, "--expect=" + c.expect}
		p := checks(t, c.code, args...)
		if out := p.stdout.String(); !regexp.MustCompile(c.want).MatchString(out) || strings.Count(out, "\n") != 1 || p.stderr.String() != "" {
			t.Errorf("%v: %q, %q; want %s", args, out, &p.stderr, c.want)
		}
		var answer struct {
			Result  string
			Process struct{ PID int }
		}
		p = checks(t, c.code, append(args, "-o", "json")...)
		if err := json.Unmarshal([]byte(p.stdout.String()), &answer); err != nil || !strings.HasPrefix(c.want, "^"+answer.Result) || fmt.Sprint(answer.Process.PID) != c.pid {
			t.Errorf("%v: %v, %s", args, err, &p.stdout)
		}
		nagios := map[int]int{0: 0, exitFailure: 2}[c.code]
		p = checks(t, nagios, append(args, "-o", "nagios")...)
		if word := map[int]string{0: "OK", 2: "CRITICAL"}[nagios]; !strings.HasPrefix(p.stdout.String(), "LANDLOCK "+word+" - ") {
			t.Errorf("%v: %s", args, &p.stdout)
		}
	}
	checkRefusal(t, run(t, "check", "--pid=2", "--expect=state=sandboxed"), exitUndecided, "no process 2", "kernel thread")
	checkRefusal(t, run(t, "check", "--pid="+inside, "--expect=stat=sandboxed"), exitUsage, "--expect", "stat")
	checkRefusal(t, run(t, "check", "--pid="+inside), exitUsage, "--expect")
	for _, flag := range []string{"--pid=-4", "--pid=0", "--pid=4294967297"} {
		checkRefusal(t, run(t, "check", flag, "--expect=state=sandboxed"), exitUsage, "--pid", "no PID")
	}
	checkRefusal(t, run(t, "check", "--pid="+inside, "--expect=restricts=fs.*,outside_workers=no"), exitUsage,
		`--expect: outside_workers: "no"`)
	checkRefusal(t, run(t, "check", "--pid="+inside, "--expect=state=unsandboxed,max_depth=1"),
		exitUsage, "max_depth asks something of a sandbox")
	checkRefusal(t, run(t, "check", "--pid="+inside, "--expect=on_old_kernel=violation"), exitUsage,
		"on_old_kernel needs restricts")
	checkRefusal(t, runWith(t, asNobody(), "check", "--pid="+inside, "--expect=state=sandboxed"), exitUndecided, "CAP_BPF")
	p := runWith(t, asNobody(), "check", "--pid="+inside, "--expect=state=sandboxed", "-o", "nagios")
	if code := p.wait(t); code != exitUndecided || !regexp.MustCompile(`^LANDLOCK UNKNOWN - .*CAP_BPF.*\n$`).MatchString(p.stdout.String()) || p.stderr.String() != "" {
		t.Errorf("exit code %d: %s%s", code, &p.stdout, &p.stderr)
	}
}

// aboutNone is said of a rule that is about nothing: some process that is just being
// made or about to end may be what it is about.
const aboutNone = "(about no process here|perhaps about none)"

func TestCheckRules(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	rules := rulesFor(t, program, "    severity: critical\n  - name: nowhere\n    match: {exe: [/no/such/program]}\n")
	inside := runs(t, sandboxed(1, program)...)
	args := []string{"check", "--config.file=" + rules}
	p := checks(t, 0, args...)
	if out := p.stdout.String(); !regexp.MustCompile(`own +compliant +critical +0 +1 +0 +0 +\S+rules.yml:\d`).MatchString(out) ||
		!regexp.MustCompile(`(?m)^nowhere +(no|unknown) +warning +\S+rules.yml:\d`).MatchString(out) ||
		!regexp.MustCompile(`(?m)^0 of 2 rules violated, 1 `+aboutNone+`\.$`).MatchString(out) {
		t.Errorf("%s", out)
	}
	// Every process is known then: the host is looked at again.
	out := checks(t, exitFailure, append(args, "--require-matches")...).stdout.String()
	if !regexp.MustCompile(`(?m)^nowhere +no `).MatchString(out) {
		t.Errorf("%s", out)
	}
	if out := checks(t, 0, append(args, "-o", "nagios")...).stdout.String(); !strings.HasPrefix(out, "LANDLOCK OK - ") || !strings.Contains(out, "| rules=2;;;0 applied=1;;;0 compliant=1;;;0") {
		t.Errorf("%s", out)
	}
	outside := runs(t, program)
	p = checks(t, exitFailure, args...)
	if out := p.stdout.String(); !regexp.MustCompile(fmt.Sprintf(`(?m)^own +unsandboxed +%d +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +program +\S+ +%s$`, outside, program)).MatchString(out) {
		t.Errorf("no row of process %d:\n%s", outside, out)
	}
	out = checks(t, 2, append(args, "-o", "nagios")...).stdout.String()
	critical := `^LANDLOCK CRITICAL - 1 of 2 rules violated, 1 ` + aboutNone + `: own \(unsandboxed\) \| `
	if !regexp.MustCompile(critical).MatchString(out) {
		t.Errorf("%s", out)
	}
	for pid, want := range map[int]string{inside: "compliant", outside: "violating; none of its tasks is in a domain"} {
		wants(t, explain(t, fmt.Sprint(pid), "--config.file="+rules, "--no-paths"),
			"\nRules about it:\n  - own (critical): "+want, "\nRules that are not about it:\n  - nowhere (warning): exe ")
	}
}

// A recorded snapshot is judged by anybody, as the host was.
func TestCheckSnapshot(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	rules := rulesFor(t, program, "")
	pid := runs(t, program)
	recorded := run(t, "once", "--format=json").stdout.String()
	file := write(t, filepath.Join(testenv.PublicDir(t), "host.json"), recorded, 0o644)
	args := []string{"check", "--config.file=" + rules, "--snapshot=" + file}
	asUser := func(code int, args ...string) string {
		t.Helper()
		p := runWith(t, asNobody(), args...)
		if got := p.wait(t); got != code {
			t.Errorf("%v: exit code %d, want %d\n%s%s", args, got, code, &p.stdout, &p.stderr)
		}
		return p.stdout.String()
	}
	if out := asUser(exitFailure, args...); !strings.Contains(out, program) {
		t.Errorf("%s", out)
	}
	asUser(exitFailure, "check", "--snapshot="+file, fmt.Sprintf("--pid=%d", pid), "--expect=state=sandboxed")
	wants(t, asUser(0, "explain", args[1], args[2], fmt.Sprint(pid)), "  - own (warning): violating")
	checks(t, exitFailure, args...)

	// The same host, where the process could not be read: nothing is known.
	own := regexp.MustCompile(fmt.Sprintf(`(\{"pid":%d,.*"state":)"unsandboxed","reason":null,"depth":0(.*"max_depth":)0`, pid))
	unread := own.ReplaceAllString(recorded, `${1}"unknown","reason":"denied","depth":null${2}null`)
	if unread == recorded {
		t.Fatalf("process %d is not in the snapshot", pid)
	}
	write(t, file, unread, 0o644)
	if out := asUser(exitUndecided, args...); !regexp.MustCompile(`own +unknown +warning +0 +0 +0 +1`).MatchString(out) {
		t.Errorf("%s", out)
	}
	if out := asUser(3, append(args, "-o", "nagios")...); !strings.HasPrefix(out, "LANDLOCK UNKNOWN - ") {
		t.Errorf("%s", out)
	}
	for text, want := range map[string]string{
		"": "schema", "{}": "schema", recorded[:len(recorded)/2]: "ends too early", regexp.MustCompile(`"processes":\[\n{"pid":\d+`).ReplaceAllString(recorded, "\"processes\":[{\"pid\":-1"): "processes[0].pid",
		run(t, "once", "--format=json", "--summary").stdout.String(): "--summary",
	} {
		write(t, file, text, 0o644)
		checkRefusal(t, runWith(t, asNobody(), args...), exitUsage, "--snapshot", "host.json", want)
	}
	checkRefusal(t, run(t, "check", "--config.file="+rules, "--snapshot=/no/such/file"), exitUsage, "--snapshot", "no such file")
}

// A process that has just begun is reported, and not held against anybody.
func TestCheckYoungProcess(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	runs(t, program)
	rules := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"), fmt.Sprintf("rules: [{name: own, match: {exe: [%q]}, grace: 1d}]\n", program), 0o644)
	out := checks(t, 0, "check", "--config.file="+rules).stdout.String()
	if !regexp.MustCompile(`own +starting +warning +0 +0 +1 +0`).MatchString(out) || !strings.Contains(out, "too young") {
		t.Errorf("%s", out)
	}
}

func TestCheckWithoutRules(t *testing.T) {
	testenv.NeedRoot(t)
	none := write(t, filepath.Join(testenv.PublicDir(t), "none.yml"), "rules: []\n", 0o644)
	checkRefusal(t, run(t, "check", "--config.file="+none), exitUsage, "no rules", "--config.file")
	checkRefusal(t, run(t, "check", "--config.file=/no/such/file"), exitUsage, "/no/such/file", "no such file")
}

func TestCheckConfig(t *testing.T) {
	dir := testenv.PublicDir(t)
	file := func(name, text string) string { return write(t, filepath.Join(dir, name), text, 0o644) }
	good := file("good.yml", "rules: [{name: a, match: {unit: [a.service]}}, {name: b, match: {unit: [b.service]}}]\n")
	doubtful := file("doubtful.yml", "rules:\n  - name: c\n    match: {comm: [sshd]}\n")
	nothing := file("nothing.yml",
		"rules:\n  - name: f\n    match: {unit: [nginx, nginx.service]}\n")
	bad := file("bad.yml", "rules:\n  - name: D\n    match: {unit: [a.service]}\n    expects: {}\n  - name: e\n    match: {exe: ['[']}\n")
	all := file("all.yml", "rule_files: [good.yml, doubtful.yml]\n")
	for _, c := range []struct {
		files  []string
		code   int
		stdout string
		stderr []string
	}{
		{[]string{good}, 0, "OK: 2 rules in 1 file\n", nil},
		{[]string{good, doubtful}, 0, "OK: 3 rules in 2 files\n", []string{`^\S+/doubtful\.yml:3:13: warning: .*comm`}},
		{[]string{nothing}, 0, "OK: 1 rule in 1 file\n",
			[]string{`^\S+/nothing\.yml:3:20: warning: "nginx" matches nothing: `}},
		{[]string{all}, 0, "OK: 3 rules in 3 files\n", []string{`^\S+/doubtful\.yml:3:13: warning: .*comm`}},
		{[]string{bad, good}, exitUsage, "", []string{`^\S+/bad\.yml:2:11: .*"D"`, `^\S+/bad\.yml:4:5: .*expects`, `^\S+/bad\.yml:6:19: .*\[`}},
		{[]string{dir + "/none.yml"}, exitUsage, "", []string{`^\S+/none\.yml: .*no such file`}},
		{[]string{file("control.yml", "rules: [{name: \"a\\u001b[31m\\nb\", match: {unit: [x]}}]\n")}, exitUsage, "", []string{`^\S+/control\.yml:1:16: `}},
	} {
		p := runWith(t, asNobody(), append([]string{"check-config"}, c.files...)...) // it needs no privilege
		lines := strings.SplitAfter(p.stderr.String(), "\n")
		lines = lines[:len(lines)-1]
		if code := p.wait(t); code != c.code || p.stdout.String() != c.stdout || len(lines) != len(c.stderr) {
			t.Errorf("%q: exit code %d\n%s%s", c.files, code, &p.stdout, &p.stderr)
			continue
		}
		for i, want := range c.stderr {
			if !regexp.MustCompile(want).MatchString(lines[i]) || strings.Contains(lines[i], "\x1b") {
				t.Errorf("%q, want %s", lines[i], want)
			}
		}
	}
}

// What comes by a pipe is checked as a file is.
func TestCheckConfigOfStandardInput(t *testing.T) {
	for text, want := range map[string]string{
		"rules: [{name: a, match: {uid: [1]}, expect: {state: [sandboxed]}}]": "OK: 1 rule in 1 file\n",
		"rule: []": "",
	} {
		p := runWith(t, func(c *exec.Cmd) { c.Stdin = strings.NewReader(text) }, "check-config", "-")
		code := 0
		if want == "" {
			code = exitUsage
		}
		if got := p.wait(t); got != code || p.stdout.String() != want || want == "" &&
			!strings.HasPrefix(p.stderr.String(), `standard input:1:1: unknown key "rule"`) {
			t.Errorf("%q: exit code %d\n%s%s", text, got, &p.stdout, &p.stderr)
		}
	}
}

// What is sandboxed now becomes rules that hold now, and no longer if it is not.
func TestSuggest(t *testing.T) {
	testenv.NeedRoot(t)
	program := copyOfCat(t, "inside")
	runs(t, copyOfCat(t, "outside"))
	p := stay(t, false, sandboxed(2, program)...)
	var recorded string
	// Of a process without a program, which is about to end, no rule about programs is
	// decided; check looks again then, but not at a recorded snapshot.
	eventually(t, "the program runs, and every process has one", func() bool {
		recorded = run(t, "once", "--format=json").stdout.String()
		var s snapshot
		return json.Unmarshal([]byte(recorded), &s) == nil && strings.Contains(recorded, program) &&
			!slices.ContainsFunc(s.Processes, func(p processJSON) bool { return p.Exe == nil })
	})
	dir := testenv.PublicDir(t)
	host := write(t, filepath.Join(dir, "host.json"), recorded, 0o644)
	live := checks(t, 0, "rules", "suggest").stdout.String()
	fromFile := checks(t, 0, "rules", "suggest", "--snapshot="+host).stdout.String()
	for _, text := range []string{live, fromFile} {
		if !regexp.MustCompile(`(?m)^  - name: inside #.*\n    match: \{exe: \["[^"]*/inside"\]\}`).MatchString(text) || !strings.Contains(text, "min_depth: 2") || !strings.Contains(text, "fs.make_char") {
			t.Fatalf("no rule of %s:\n%s", program, text)
		}
		if !regexp.MustCompile(`(?m)^# - program [^ ]*/outside: 1 process, not sandboxed$`).MatchString(text) {
			t.Errorf("nothing of what is outside:\n%s", text)
		}
	}
	rules := write(t, filepath.Join(dir, "suggested.yml"), fromFile, 0o644)
	if p := checks(t, 0, "check-config", rules); p.stderr.String() != "" {
		t.Errorf("%s", &p.stderr)
	}
	checks(t, 0, "check", "--config.file="+rules, "--snapshot="+host)
	// Beside rules that are there already: it takes none of their names.
	beside := write(t, filepath.Join(dir, "beside.yml"), "rule_files: [\"more*.yml\"]\nrules: [{name: inside, match: {unit: [a.service]}}]\n", 0o644)
	more := checks(t, 0, "rules", "suggest", "--snapshot="+host, "--config.file="+beside).stdout.String()
	write(t, filepath.Join(dir, "more.yml"), more, 0o644)
	checks(t, 0, "check-config", beside)
	_ = p.stdin.Close()
	p.wait(t)
	runs(t, program)
	after := write(t, filepath.Join(dir, "after.json"), run(t, "once", "--format=json").stdout.String(), 0o644)
	write(t, rules, "defaults: {grace: 0s}\n"+fromFile, 0o644) // it is young
	if out := checks(t, exitFailure, "check", "--config.file="+rules, "--snapshot="+after).stdout.String(); !strings.Contains(out, "unsandboxed") {
		t.Errorf("%s", out)
	}
}

// Metrics and JSON of a single run have what rules say.
func TestOnceRules(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	pid := runs(t, program)
	rules := "--config.file=" + rulesFor(t, program, "")
	m := parseMetrics(t, checks(t, 0, "once", rules).stdout.String())
	m.has(t, `landlock_rule_violated{rule="own",severity="warning"}`, 1)
	m.has(t, `landlock_rule_processes{result="violating",rule="own"}`, 1)
	m.has(t, `landlockd_rules{status="applied"}`, 1)
	var s struct {
		Rules []struct {
			Name       string
			Violations []struct {
				Reason string
				PIDs   []int
			}
		}
	}
	if err := json.Unmarshal([]byte(checks(t, 0, "once", rules, "--format=json").stdout.String()), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Rules) != 1 || len(s.Rules[0].Violations) != 1 || len(s.Rules[0].Violations[0].PIDs) != 1 || s.Rules[0].Violations[0].PIDs[0] != pid {
		t.Errorf("%+v", s)
	}
	summary := checks(t, 0, "once", rules, "--format=json", "--summary").stdout.String()
	if !strings.Contains(summary, `"reason":"unsandboxed","processes":1}`) || strings.Contains(summary, "pids") {
		t.Errorf("%s", summary)
	}
	checkRefusal(t, run(t, "once", "--config.file=/no/such/file"), exitUsage, "/no/such/file")
	p := runWith(t, asNobody(unix.CAP_BPF, unix.CAP_PERFMON), "once", rules)
	parseMetrics(t, p.stdout.String()).has(t, `landlock_rule_violated{rule="own",severity="warning"}`, 1)
}

// withEtc is the launcher of a program that finds these files in /etc.
func withEtc(t *testing.T, files map[string]string) []string {
	t.Helper()
	dir := testenv.PublicDir(t)
	for _, name := range []string{"passwd", "group", "nsswitch.conf"} {
		if b, err := os.ReadFile("/etc/" + name); err == nil {
			write(t, filepath.Join(dir, name), string(b), 0o644)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text, 0o644)
	}
	return []string{self, roleArg, "etc", dir}
}

// Without --config.file the host's own files are read.
func TestDefaultConfig(t *testing.T) {
	testenv.NeedRoot(t)
	const one = "rules: [{name: one, match: {unit: [none.service]}, min_processes: 1}]\n"
	const two = "rules: [{name: two, match: {unit: [none.service]}, min_processes: 1}]\n"
	for name, c := range map[string]struct {
		files map[string]string
		rules []string
	}{
		"none":      {nil, nil},
		"rules.d":   {map[string]string{"landlockd/rules.d/a.yml": one, "landlockd/rules.d/b.yml": two, "landlockd/rules.d/c.txt": "x"}, []string{"one", "two"}},
		"main":      {map[string]string{"landlockd/landlockd.yml": one, "landlockd/rules.d/b.yml": two}, []string{"one"}},
		"both":      {map[string]string{"landlockd/landlockd.yml": "rule_files: [rules.d/*.yml]\n" + one, "landlockd/rules.d/b.yml": two}, []string{"one", "two"}},
		"empty":     {map[string]string{"landlockd/landlockd.yml": ""}, nil},
		"elsewhere": {map[string]string{"other.yml": one}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			etc := withEtc(t, c.files)
			p := launch(t, nil, append(etc, landlockd, "once")...)
			if code := p.wait(t); code != 0 {
				t.Fatalf("exit code %d: %s", code, &p.stderr)
			}
			check := func(m metrics) {
				t.Helper()
				m.has(t, `landlockd_rules{status="loaded"}`, float64(len(c.rules)))
				for _, rule := range c.rules {
					m.has(t, `landlock_rule_violated{rule="`+rule+`",severity="warning"}`, 1)
				}
			}
			check(parseMetrics(t, p.stdout.String()))
			check(startDaemon(t, daemonOptions{prefix: etc, args: []string{"--confine=require"}}).scrape(t))
		})
	}
	etc := withEtc(t, map[string]string{"landlockd/rules.d/a.yml": "rules: 1\n"})
	checkRefusal(t, launch(t, nil, append(etc, landlockd, "once")...), exitUsage, "/etc/landlockd/rules.d/a.yml:1:8")
}
