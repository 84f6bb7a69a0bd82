// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

const reloaded = "landlockd_config_last_reload_successful"

// config is a configuration that a test replaces in one step.
type config struct{ path string }

func newConfig(t *testing.T, text string) config {
	t.Helper()
	return config{write(t, filepath.Join(testenv.PublicDir(t), "landlockd.yml"), text, 0o644)}
}

func (c config) flag() string { return "--config.file=" + c.path }

func (c config) replace(t *testing.T, text string) {
	t.Helper()
	if err := os.Rename(write(t, c.path+".new", text, 0o644), c.path); err != nil {
		t.Fatal(err)
	}
}

func ruleText(name, program string) string {
	return fmt.Sprintf("  - {name: %s, match: {exe: [%q]}, grace: 0s}\n", name, program)
}

// hangUp sends SIGHUP and waits until it has been dealt with.
func (d *daemon) hangUp(t *testing.T) {
	t.Helper()
	before := strings.Count(d.stderr.String(), "msg=\"Configuration loaded\"") + strings.Count(d.stderr.String(), "Configuration not loaded")
	d.signal(t, syscall.SIGHUP)
	eventually(t, "the reload is in the log", func() bool {
		return strings.Count(d.stderr.String(), "msg=\"Configuration loaded\"")+strings.Count(d.stderr.String(), "Configuration not loaded") > before
	})
}

func TestReload(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	pid := runs(t, program)
	c := newConfig(t, "rules:\n"+ruleText("one", program))
	d := startDaemon(t, daemonOptions{args: []string{c.flag(), "--confine=require", "--web.enable-lifecycle", "--scan.min-interval=0s"}})
	checkServingStage(t, d, servingUID(t))
	m := d.scrape(t)
	const violated = `landlock_rule_violated{rule="one",severity="warning"}`
	m.has(t, violated, 1)
	m.has(t, reloaded, 1)
	m.has(t, `landlockd_rules{status="loaded"}`, 1)
	hash, since := m["landlockd_config_hash"], m["landlockd_config_last_reload_success_timestamp_seconds"]
	if hash == 0 || time.Since(time.UnixMilli(int64(since*1000))) > time.Hour {
		t.Errorf("hash %v, loaded at %v", hash, since)
	}

	for name, text := range map[string]string{
		"no YAML": "rules: [", "unknown key": "rules: [{name: x, match: {unit: [a]}, grce: 1s}]\n", "nameless": "rules: [{match: {unit: [a]}}]\n", "binary": "\x00\x01",
		"cmdline": "rules: [{name: x, match: {cmdline: [a]}}]\n",
	} {
		c.replace(t, text)
		d.hangUp(t)
		m = d.scrape(t)
		m.has(t, reloaded, 0)
		m.has(t, violated, 1)
		m.has(t, "landlockd_config_hash", hash)
		m.has(t, "landlockd_config_last_reload_success_timestamp_seconds", since)
		if resp, body := d.do(t, http.MethodPost, "/-/reload"); resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, c.path) {
			t.Errorf("%s: %s: %s", name, resp.Status, body)
		}
	}
	if !regexp.MustCompile(`landlockd\.yml:1:\d+: unknown key \\"grce\\"`).MatchString(d.stderr.String()) || !strings.Contains(d.stderr.String(), "restart it") {
		t.Errorf("the log does not tell why:\n%s", &d.stderr)
	}
	if err := os.Remove(c.path); err != nil {
		t.Fatal(err)
	}
	d.hangUp(t)
	d.scrape(t).has(t, violated, 1)

	c.replace(t, "rules:\n"+ruleText("two", program))
	d.hangUp(t)
	m = d.scrape(t)
	m.has(t, reloaded, 1)
	m.has(t, `landlock_rule_violated{rule="two",severity="warning"}`, 1)
	if _, there := m[violated]; there {
		t.Error("a rule that is gone has a series")
	}
	if m["landlockd_config_hash"] == hash || m["landlockd_config_last_reload_success_timestamp_seconds"] <= since {
		t.Errorf("hash %v, loaded at %v", m["landlockd_config_hash"], m["landlockd_config_last_reload_success_timestamp_seconds"])
	}

	c.replace(t, "rules:\n"+ruleText("three", program))
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		if resp, body := d.do(t, method, "/-/reload"); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s: %s", method, resp.Status, body)
		}
	}
	d.scrape(t).has(t, `landlock_rule_violated{rule="three",severity="warning"}`, 1)
	if resp, _ := d.do(t, http.MethodPost, "/-/reload", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %s", resp.Status)
	}
	// Mended, the first scrape says so.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	runs(t, sandboxed(1, program)...)
	eventually(t, "the rule is not violated", func() bool { return d.scrape(t)[`landlock_rule_violated{rule="three",severity="warning"}`] == 0 })
	d.stop(t)
}

func TestReloadIsOffByDefault(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{newConfig(t, "").flag()}})
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		if resp, body := d.do(t, method, "/-/reload"); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "--web.enable-lifecycle") {
			t.Errorf("%s: %s: %s", method, resp.Status, body)
		}
	}
	if resp, _ := d.do(t, http.MethodGet, "/-/reload"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", resp.Status)
	}
	if strings.Contains(d.stderr.String(), "Configuration loaded") {
		t.Errorf("it was loaded again: %s", &d.stderr)
	}
}

// Rules that appear in a directory that was there are found; many at once are
// loaded one after the other.
func TestReloadOfDirectory(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	runs(t, program)
	c := newConfig(t, "rule_files: [rules.d/*.yml]\n")
	dir := filepath.Join(filepath.Dir(c.path), "rules.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, daemonOptions{args: []string{c.flag(), "--confine=require", "--web.enable-lifecycle", "--scan.min-interval=0s"}})
	d.scrape(t).has(t, `landlockd_rules{status="loaded"}`, 0)
	const rules = 5
	for i := range rules {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.yml", i)), "rules:\n"+ruleText(fmt.Sprintf("r%d", i), program), 0o644)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if resp, body := d.do(t, http.MethodPost, "/-/reload"); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", resp.Status, body)
			}
		})
		wg.Go(func() { d.scrape(t) })
	}
	wg.Wait()
	m := d.scrape(t)
	m.has(t, `landlockd_rules{status="applied"}`, rules)
	for i := range rules {
		m.has(t, fmt.Sprintf(`landlock_rule_violated{rule="r%d",severity="warning"}`, i), 1)
	}
	// A file that the serving user cannot read is no reason to drop its rules.
	write(t, filepath.Join(dir, "0.yml"), "rules: []\n", 0o600)
	d.hangUp(t)
	m = d.scrape(t)
	m.has(t, reloaded, 0)
	m.has(t, `landlockd_rules{status="loaded"}`, rules)
	if !strings.Contains(d.stderr.String(), "permission denied") {
		t.Errorf("%s", &d.stderr)
	}
}

// What the serving user cannot read is reported at start, not at the first reload.
func TestConfigOfRootAlone(t *testing.T) {
	testenv.NeedRoot(t)
	path := write(t, filepath.Join(testenv.PublicDir(t), "root.yml"), "rules: []\n", 0o600)
	checkRefusal(t, run(t, "--config.file="+path, "--web.listen-address=127.0.0.1:0", apiFlag), exitUsage, "root.yml", "permission denied", "user "+servingUID(t))
	for _, path := range []string{"/no/such/file.yml", write(t, filepath.Join(testenv.PublicDir(t), "bad.yml"), "rules: [{name: x, match: {unit: [a.service]}, nme: x}]\n", 0o644)} {
		checkRefusal(t, run(t, "--config.file="+path, "--web.listen-address=127.0.0.1:0", apiFlag), exitUsage, path)
	}
}

// SIGHUP ends neither stage, whenever it comes.
func TestHangUpNeverEndsTheDaemon(t *testing.T) {
	testenv.NeedRoot(t)
	c := newConfig(t, "rules: [{name: one, match: {unit: [none.service]}}]\n")
	for range 5 {
		d := newDaemon(t, daemonOptions{args: []string{c.flag()}})
		// Before main begins nobody can survive it.
		eventually(t, "the first stage has begun", func() bool {
			status, _ := d.try("/-/ready")
			return d.ended() || ignoresHangUp(t, d.cmd.Process.Pid) || status == http.StatusOK
		})
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			d.signal(t, syscall.SIGHUP)
			if status, _ := d.try("/-/ready"); status == http.StatusOK {
				break
			}
		}
		d.becomesReady(t)
		d.hangUp(t)
		d.scrape(t).has(t, reloaded, 1)
		d.stop(t)
	}
}

// ignoresHangUp reports whether a process ignores SIGHUP. That it has a handler says
// nothing: Go has one for every signal.
func ignoresHangUp(t *testing.T, pid int) bool {
	t.Helper()
	var ignored uint64
	if _, err := fmt.Sscanf(statusLine(t, fmt.Sprintf("/proc/%d/status", pid), "SigIgn"), "%x", &ignored); err != nil {
		t.Fatal(err)
	}
	return ignored&(1<<(syscall.SIGHUP-1)) != 0
}

// Other commands end with their terminal.
func TestHangUpEndsOtherCommands(t *testing.T) {
	testenv.NeedRoot(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Where this process was started with the signal ignored (nohup), so would be
	// what it starts; a signal that is handled is at its default there.
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	p := launch(t, nil, landlockd, "rules", "suggest", "--snapshot="+fifo)
	eventually(t, "it reads the file", func() bool {
		fd, err := syscall.Open(fifo, syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { syscall.Close(fd) })
		}
		return err == nil
	})
	p.signal(t, syscall.SIGHUP)
	if code := p.wait(t); code != -1 {
		t.Errorf("exit code %d", code)
	}
}

func TestReloadTellsTheServiceManager(t *testing.T) {
	testenv.NeedRoot(t)
	path := filepath.Join(testenv.PublicDir(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := newConfig(t, "")
	d := startDaemon(t, daemonOptions{args: []string{c.flag()}, change: func(c *exec.Cmd) { c.Env = append(c.Env, "NOTIFY_SOCKET="+path) }})
	receive(t, conn)
	d.hangUp(t)
	c.replace(t, "rules: 1\n")
	d.hangUp(t)
	told := receive(t, conn)
	form := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*\nSTATUS=`)
	if len(told) != 4 || !form.MatchString(told[0]) || !strings.HasPrefix(told[1], "READY=1\n") || !form.MatchString(told[2]) ||
		!strings.HasPrefix(told[3], "READY=1\n") || !strings.Contains(told[3], "not loaded") {
		t.Errorf("%q", told)
	}
	d.stop(t)
	if told := receive(t, conn); !slices.Equal(told, []string{"STOPPING=1\nSTATUS=Stopping"}) {
		t.Errorf("%q", told)
	}
}

// The confined stage reads the command lines of other users' processes, if a rule
// asked for it at start.
func TestRulesOfCommandLines(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	text := "rules:\n"
	for _, user := range []string{"root", "daemon", "same"} {
		text += fmt.Sprintf("  - {name: %s, match: {cmdline: [\"%s - %s\"]}, grace: 0s}\n", user, program, user)
	}
	for name, credential := range map[string]*syscall.Credential{"root": nil, "daemon": {Uid: 1, Gid: 1}, "same": {Uid: 65534, Gid: 65534}} {
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out.Close(); in.Close() })
		launch(t, func(c *exec.Cmd) {
			c.Stdin = out
			c.Dir = "/"
			c.Args = []string{program, "-", name} // standard input before a file that is not there
			c.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		}, program)
	}
	c := newConfig(t, text)
	d := startDaemon(t, daemonOptions{args: []string{c.flag(), "--confine=require", "--user=nobody", "--scan.min-interval=0s"}})
	checkServingStage(t, d, "65534")
	m := d.scrape(t)
	for _, user := range []string{"root", "daemon", "same"} {
		m.has(t, `landlock_rule_processes{result="violating",rule="`+user+`"}`, 1)
		m.has(t, `landlock_rule_processes{result="unknown",rule="`+user+`"}`, 0)
	}
	c.replace(t, strings.ReplaceAll(text, "name: root", "name: admin"))
	d.hangUp(t)
	d.scrape(t).has(t, `landlock_rule_processes{result="violating",rule="admin"}`, 1)
	d.stop(t)
}
