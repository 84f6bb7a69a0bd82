// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/testenv"
)

const (
	writeFile   = 1 << 1
	readFile    = 1 << 2
	makeReg     = 1 << 8
	resolveUnix = 1 << 16
	connectTCP  = 1 << 1
	abstractUDS = 1 << 0
)

func explain(t *testing.T, args ...string) string {
	t.Helper()
	p := run(t, append([]string{"explain"}, args...)...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("explain %q: exit code %d: %s", args, code, &p.stderr)
	}
	return p.stdout.String()
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// TestExplain: what a sandbox still lets do, in words, with the paths of its rules.
func TestExplain(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	odd := filepath.Join(dir, "odd\x1b[31m")
	if err := os.Mkdir(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBoxedShell(t, fmt.Sprintf("fs=%#x,net=%#x,below=%#x:/,below=%#x:%s,below=%#x:/dev/null,port=%#x:53,port=%#x:443",
		readFile|writeFile|makeReg, connectTCP, readFile, writeFile, odd, writeFile, connectTCP, connectTCP))
	pid := fmt.Sprint(b.pid)
	text := explain(t, pid)
	wants(t, text,
		"is sandboxed at depth 1", "executable  /",
		"Landlock lets "+pid+" (sh) read, execute, truncate and make or remove some kinds of files everywhere, "+
			"write below /dev/null and ",
		"bind any TCP port, connect to TCP ports 53 and 443 alone",
		"\n  Files, everywhere (its rules grant that):\n    - open a file for reading (fs.read_file)\n",
		"\n  Files, only below these:\n", "      /dev/null\n", `odd\x1b[31m"`,
		"    - open a file for writing (fs.write_file)\n", "\n  Files, nowhere:\n",
		"    - make a regular file (fs.make_reg)\n", "    - make a directory (fs.make_dir)\n",
		"\n  Files, everywhere (this sandbox does not restrict it):\n",
		"to mount, to unmount, pivot_root(2): no\n",
		"connect to TCP ports: only 53 and 443", "bind TCP ports: all (this sandbox does not restrict it)",
		"made by "+pid+" (")
	if strings.ContainsRune(text, 0x1b) {
		t.Errorf("a control character: %q", text)
	}
	if abi, err := landlock.ABI(); err != nil || abi < 9 {
		wants(t, text, "connect to Unix sockets outside that have a path: yes (this kernel cannot restrict it")
	}

	var j struct {
		Schema  string `json:"schema"`
		Process struct {
			Restricted struct{ Names []string } `json:"restricted"`
		} `json:"process"`
		Domains []struct {
			Creator struct{ Exe *string } `json:"creator"`
		} `json:"domains"`
		Sandboxes []struct {
			May []struct {
				Rights []string `json:"rights"`
				May    string   `json:"may"`
				Why    string   `json:"why"`
				Ports  []int    `json:"ports"`
				Below  []struct {
					Files []struct{ Path *string } `json:"files"`
				} `json:"below"`
			} `json:"may"`
		} `json:"sandboxes"`
	}
	if err := json.Unmarshal([]byte(explain(t, pid, "-o", "json")), &j); err != nil {
		t.Fatal(err)
	}
	if j.Schema != "landlockd/explain/v1" || len(j.Sandboxes) != 1 || len(j.Domains) != 1 {
		t.Fatalf("%+v", j)
	}
	for _, d := range j.Sandboxes[0].May {
		switch d.Rights[0] {
		case "net.connect_tcp":
			if d.May != "limited" || fmt.Sprint(d.Ports) != "[53 443]" {
				t.Errorf("%+v", d)
			}
		case "fs.write_file":
			var paths []string
			for _, f := range d.Below[0].Files {
				if f.Path != nil {
					paths = append(paths, *f.Path)
				}
			}
			if d.May != "limited" || len(paths) != 2 {
				t.Errorf("%+v, paths %q", d, paths)
			}
		}
	}

	// The same of a recorded snapshot, without paths.
	recorded := run(t, "once", "--format=json")
	recorded.wait(t)
	file := write(t, filepath.Join(dir, "host.json"), recorded.stdout.String(), 0o644)
	wants(t, explain(t, pid, "--snapshot="+file), "connect to TCP ports: only 53 and 443", "of which no path is known", "recorded snapshot")
}

// TestExplainBeside: what no right stands for is as the kernel has it.
func TestExplainBeside(t *testing.T) {
	testenv.NeedRoot(t)
	memory := fmt.Sprintf("/proc/%d/mem", os.Getpid())
	mount, trace := "unshare -m true 2>/dev/null", "(: <"+memory+") 2>/dev/null"
	if f, err := os.Open(memory); err != nil {
		t.Fatalf("the test is wrong: %v", err)
	} else {
		f.Close()
	}
	for rules, mounts := range map[string]bool{
		fmt.Sprintf("fs=%#x", makeReg): false, fmt.Sprintf("net=%#x", connectTCP): true,
	} {
		b := newBoxedShell(t, rules)
		if did := b.do(t, mount); did != mounts {
			t.Errorf("%s: it could mount: %v, want %v", rules, did, mounts)
		}
		if b.do(t, trace) {
			t.Errorf("%s: it looked into a process outside", rules)
		}
		said := map[bool]string{true: "yes (only a domain", false: "no\n"}[mounts]
		wants(t, explain(t, fmt.Sprint(b.pid), "--no-paths"), "pivot_root(2): "+said)
	}
}

// TestExplainOfOthers: who is in no domain, and who is not there.
func TestExplainOfOthers(t *testing.T) {
	testenv.NeedRoot(t)
	wants(t, explain(t, fmt.Sprint(os.Getpid()), "--sockets"), "from nothing: it is in no domain.\n", "none is outside")
	for _, c := range []struct {
		code int
		args []string
	}{
		{2, []string{"explain"}}, {2, []string{"explain", "0"}}, {3, []string{"explain", "no/such name"}}, {3, []string{"explain", "2147483647"}},
		{2, []string{"explain", "1", "--sockets", "--snapshot=/nothing"}},
	} {
		if p := run(t, c.args...); p.wait(t) != c.code {
			t.Errorf("%q: exit code %d, want %d: %s", c.args, p.cmd.ProcessState.ExitCode(), c.code, &p.stderr)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestEscapeByTmux is the classic way out: a shell that may make no file asks a
// terminal multiplexer outside to make one. It is named before it happens.
func TestEscapeByTmux(t *testing.T) {
	testenv.NeedRoot(t)
	tmux := testenv.NeedTool(t, "tmux")
	dir := testenv.PublicDir(t)
	socket, direct, marker := filepath.Join(dir, "tmux.sock"), filepath.Join(dir, "direct"), filepath.Join(dir, "marker")
	start := exec.Command(tmux, "-S", socket, "-f", "/dev/null", "new-session", "-d", "cat")
	start.Env = cleanEnv()
	if out, err := start.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(tmux, "-S", socket, "kill-server").Run() })
	ask := func(file string) string { return fmt.Sprintf("tmux -S %s run-shell 'touch %s'", socket, file) }

	b := newBoxedShell(t, fmt.Sprintf("fs=%#x", makeReg))
	if b.do(t, "touch "+direct+" 2>/dev/null") || exists(direct) {
		t.Fatal("the sandbox does not keep the shell from making a file: the test is wrong")
	}
	text := explain(t, fmt.Sprint(b.pid), "--sockets")
	line := lineWith(text, socket)
	if !strings.Contains(line, "tmux") || !strings.Contains(line, "unsandboxed") {
		t.Errorf("the socket and who listens are not named:\n%s", text)
	}
	if !b.do(t, ask(marker)) {
		t.Error("the escape failed")
	}
	eventually(t, "the file is there that the sandbox forbids", func() bool { return exists(marker) })

	// Permissions close it, whatever Landlock does.
	if err := os.Chmod(socket, 0o000); err != nil {
		t.Fatal(err)
	}
	other := newBoxedShellAs(t, 65534, fmt.Sprintf("fs=%#x", makeReg))
	if text := explain(t, fmt.Sprint(other.pid), "--sockets"); lineWith(text, socket) != "" {
		t.Errorf("named, although nobody may connect:\n%s", text)
	}
	if other.do(t, ask(marker+"-other")+" 2>/dev/null") {
		t.Error("a user without permission escaped")
	}
	if err := os.Chmod(socket, 0o700); err != nil {
		t.Fatal(err)
	}

	if abi, err := landlock.ABI(); err != nil || abi < 9 {
		t.Logf("this kernel (ABI %d) cannot restrict sockets with a path; the guests of test/kernels can", abi)
		return
	}
	b = newBoxedShell(t, fmt.Sprintf("fs=%#x", makeReg|resolveUnix))
	if text := explain(t, fmt.Sprint(b.pid), "--sockets"); lineWith(text, socket) != "" {
		t.Errorf("named, although Landlock closes it:\n%s", text)
	}
	if b.do(t, ask(marker+"-closed")+" 2>/dev/null") || exists(marker+"-closed") {
		t.Error("the escape that is closed succeeded")
	}
}

// TestEscapeByAbstractSocket: the same by an abstract socket, which a scope closes.
func TestEscapeByAbstractSocket(t *testing.T) {
	testenv.NeedRoot(t)
	if abi, err := landlock.ABI(); err != nil || abi < 6 {
		t.Fatalf("Landlock's ABI is %d (%v): scopes need 6, Linux 6.12", abi, err)
	}
	dir := testenv.PublicDir(t)
	name := "landlockd-e2e-" + filepath.Base(dir)
	stay(t, true, self, roleArg, "abstract-server", name)
	for _, c := range []struct {
		rules   string
		escapes bool
	}{
		{fmt.Sprintf("fs=%#x", makeReg), true},
		{fmt.Sprintf("fs=%#x,scope=%#x", makeReg, abstractUDS), false},
	} {
		b := newBoxedShell(t, c.rules)
		marker := filepath.Join(dir, fmt.Sprint("marker-", c.escapes))
		if b.do(t, "touch "+marker+" 2>/dev/null") {
			t.Fatal("the sandbox does not keep the shell from making a file: the test is wrong")
		}
		text := explain(t, fmt.Sprint(b.pid), "--sockets")
		if named := lineWith(text, "abstract "+name) != ""; named != c.escapes {
			t.Errorf("%s: named %v, want %v:\n%s", c.rules, named, c.escapes, text)
		}
		b.do(t, fmt.Sprintf("%s %s abstract-client %s %s 2>/dev/null", self, roleArg, name, marker))
		if exists(marker) != c.escapes {
			t.Errorf("%s: the file is there: %v, want %v", c.rules, exists(marker), c.escapes)
		}
	}

	// What is inside is no way out: the server in the same domain as the shell.
	inner := name + "-inner"
	b := newBoxedShell(t, fmt.Sprintf("fs=%#x", makeReg))
	b.do(t, fmt.Sprintf("%s %s abstract-server %s & sleep 1", self, roleArg, inner))
	eventually(t, "the server inside listens", func() bool {
		listening, err := os.ReadFile("/proc/net/unix")
		return err == nil && strings.Contains(string(listening), "@"+inner)
	})
	if text := explain(t, fmt.Sprint(b.pid), "--sockets"); lineWith(text, inner) != "" {
		t.Errorf("a socket inside is called one outside:\n%s", text)
	}
	b.do(t, "kill $!")
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) && strings.HasPrefix(line, "  - ") {
			return line
		}
	}
	return ""
}
