// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"debug/elf"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// checkServingStage checks, from outside, that a daemon gave everything up.
func checkServingStage(t *testing.T, d *daemon, uid string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d", d.cmd.Process.Pid)
	threads, err := filepath.Glob(dir + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	none := "0000000000000000"
	want := map[string]string{
		"Uid": strings.TrimSpace(strings.Repeat(uid+" ", 4)), "CapInh": none, "CapPrm": none, "CapEff": none, "CapAmb": none,
		"NoNewPrivs": "1", "Seccomp": "2", "Groups": "",
	}
	if d.cmd.SysProcAttr == nil {
		want["CapBnd"] = none // only who may change it (CAP_SETPCAP) can empty it
	}
	for _, f := range threads {
		for key, want := range want {
			if got := statusLine(t, f, key); got != want {
				t.Errorf("%s: %s is %q, want %q", f, key, got, want)
			}
		}
	}
	if got := statusLine(t, dir+"/status", "Name"); got != "landlockd" {
		t.Errorf("the process is called %q", got)
	}
	// The kernel gives the files of a process that is not dumpable to root.
	var st syscall.Stat_t
	if err := syscall.Stat(dir+"/environ", &st); err != nil || st.Uid != 0 {
		t.Errorf("dumpable: %s/environ belongs to %d (%v)", dir, st.Uid, err)
	}
	host := takeSnapshot(t)
	p := host.find(d.cmd.Process.Pid)
	if p == nil || p.State != "sandboxed" || p.domain() == "" || p.Depth == nil || *p.Depth < 1 {
		t.Errorf("the daemon is not in one domain with all threads: %+v", p)
	} else if len(p.Restricted) == 0 || string(p.Restricted) != string(host.Host.Rights) {
		t.Errorf("its domain restricts %s, and the kernel can restrict %s", p.Restricted, host.Host.Rights)
	}
	m := d.scrape(t)
	for _, mechanism := range mechanisms() {
		m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, 1)
	}
	m.has(t, "landlockd_scan_success", 1)
}

// mechanisms are the words of all ways in which a daemon is confined.
func mechanisms() []string {
	return []string{"capabilities", "dumpable", "groups", "inherited", "keyring", "landlock",
		"no_new_privs", "seccomp", "user"}
}

// servingUID is the user that the daemon chooses by itself here.
func servingUID(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command("id", "-u", "landlockd").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	return "65534"
}

func TestServingStageHasNoPrivileges(t *testing.T) {
	testenv.NeedRoot(t)
	for _, mode := range []string{"require", "best-effort"} {
		t.Run(mode, func(t *testing.T) {
			d := startDaemon(t, daemonOptions{args: []string{"--confine=" + mode}})
			checkServingStage(t, d, servingUID(t))
			d.stop(t)
		})
	}
}

func TestServingUserCanBeChosen(t *testing.T) {
	testenv.NeedRoot(t)
	for _, c := range []struct{ user, uid string }{{"daemon", "1"}, {"1", "1"}} {
		d := startDaemon(t, daemonOptions{args: []string{"--confine=require", "--user=" + c.user}})
		checkServingStage(t, d, c.uid)
	}
}

func TestConfineOff(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{"--confine=off"}})
	m := d.scrape(t)
	for _, mechanism := range mechanisms() {
		m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, 0)
	}
	if uid := statusLine(t, fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid), "Uid"); uid != "0 0 0 0" {
		t.Errorf("it changed user: %s", uid)
	}
	if !strings.Contains(d.stderr.String(), "Not confined") {
		t.Errorf("no warning: %s", &d.stderr)
	}
	d.stop(t)
}

// TestServingEnvironment: the serving stage does not know the secrets in the environment of
// whoever started it.
func TestServingEnvironment(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{change: func(c *exec.Cmd) {
		c.Env = append(c.Env, "GOGC=77", "TZ=Europe/Berlin", "API_TOKEN=secret", "GOGCX=1")
	}})
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.FieldsFunc(string(environ), func(r rune) bool { return r == 0 })
	if len(got) != 3 || got[0] != "GOGC=77" || got[1] != "TZ=Europe/Berlin" ||
		!strings.HasPrefix(got[2], "LANDLOCKD_STAGE=") {
		t.Errorf("the serving stage has the environment %q", got)
	}
}

func TestServingStageInheritsNoStrayDescriptor(t *testing.T) {
	testenv.NeedRoot(t)
	secret, err := os.Open(write(t, filepath.Join(t.TempDir(), "secret"), "", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	d := startDaemon(t, daemonOptions{change: func(c *exec.Cmd) { c.ExtraFiles = []*os.File{secret, secret, secret, secret, secret} }})
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.cmd.Process.Pid))
	if err != nil || len(fds) < 4 {
		t.Fatalf("descriptors: %v, %v", fds, err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if err != nil {
			continue // closed meanwhile
		}
		known := false
		for _, kind := range []string{
			"socket:", "pipe:", "/dev/null", "anon_inode:bpf_link", "anon_inode:bpf-map",
			// Of typed tracepoints, which the kernel lets nobody run on what he chooses.
			"anon_inode:bpf-prog",
			// What the kernel says of those programs: how often each was skipped.
			fmt.Sprintf("/proc/%d/fdinfo/", d.cmd.Process.Pid),
			// Go's runtime: it polls, and watches the limit of CPU time.
			"anon_inode:[eventpoll]", "anon_inode:[eventfd]", "/sys/fs/cgroup/",
		} {
			known = known || strings.HasPrefix(to, kind)
		}
		if !known {
			t.Errorf("descriptor %s is %s", filepath.Base(fd), to)
		}
	}
}

// The serving user can search neither the program's directory nor the current one.
func TestStartFromClosedDirectory(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "landlockd")
	copyProgram(t, landlockd, program)
	d := startDaemon(t, daemonOptions{
		binary: program, args: []string{"--confine=require"}, change: func(c *exec.Cmd) { c.Dir = dir },
	})
	checkServingStage(t, d, servingUID(t))
	d.stop(t)
}

// "go install" makes a dynamically linked program where there is a C compiler.
func TestDynamicBuild(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.NeedTool(t, "cc")
	program := filepath.Join(testenv.PublicDir(t), "landlockd")
	if err := build(program, "CGO_ENABLED=1"); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Section(".interp") == nil {
		t.Fatal("the build is static: nothing is tested")
	}
	d := startDaemon(t, daemonOptions{binary: program, args: []string{"--confine=require"}})
	checkServingStage(t, d, servingUID(t))
	d.stop(t)
}

func TestMetricsOfTheDaemon(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	_, body := d.do(t, http.MethodGet, "/metrics")
	promtool(t, body)
	m := parseMetrics(t, body)
	m.has(t, "landlock_enabled", 1)
	m.has(t, `landlockd_source_available{reason="",source="taskiter"}`, 1)
	if m["process_resident_memory_bytes"] <= 0 || m["process_open_fds"] <= 0 {
		t.Errorf("the confined process cannot read of itself: resident memory %v, descriptors %v",
			m["process_resident_memory_bytes"], m["process_open_fds"])
	}
	bare := startDaemon(t, daemonOptions{args: []string{"--web.disable-exporter-metrics"}}).scrape(t)
	for name := range bare {
		if !strings.HasPrefix(name, "landlock") {
			t.Errorf("in spite of --web.disable-exporter-metrics: %s", name)
		}
	}
}

// The serving stage is named landlockd whatever its file is called, so that
// people find it.
func TestServingStageHasAName(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", d.cmd.Process.Pid))
	if err != nil || strings.TrimSpace(string(name)) != "landlockd" {
		t.Errorf("it is called %q, %v", name, err)
	}
}

// TestConfigurationInRoot: what the serving stage may read would be everything.
func TestConfigurationInRoot(t *testing.T) {
	testenv.NeedRoot(t)
	path := write(t, fmt.Sprintf("/landlockd-e2e-%d.yml", os.Getpid()), "rules: []\n", 0o644)
	defer os.Remove(path)
	link := filepath.Join(testenv.PublicDir(t), "link")
	if err := os.Symlink("/", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(link, filepath.Base(path))} {
		p := run(t, "--config.file="+path, "--web.listen-address="+testenv.FreeAddress(t), apiFlag)
		checkRefusal(t, p, exitUsage, path, "/etc/landlockd")
	}
}
