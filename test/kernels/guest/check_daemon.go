// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/netns"
)

// daemon is where the host puts landlockd itself, and daemonAddress where it serves.
const (
	daemon        = "/bin/landlockd"
	daemonAddress = "127.0.0.1:10644"
	daemonTime    = 90 * time.Second
)

// kernelAddress is what a pointer into the kernel looks like.
var kernelAddress = regexp.MustCompile(`(?i)\bffff[0-9a-f]{12}\b`)

// checkDaemon runs landlockd as people do and scrapes it. Arguments: expect, what
// this boot is (reads, off, lockdown, nocompiler); source, what --source is given; addresses,
// to look for kernel addresses in all that it prints; socket, "unix" on a kernel
// that has no other network; readable, to install it so that its user can read it:
// then it executes a copy in memory.
func checkDaemon(t *T) {
	source, expect := t.Arg("source", "auto"), t.Arg("expect", "reads")
	if t.Arg("readable", "0") == "1" {
		t.Must(os.Chmod(daemon, 0o755))
	}
	startSleepers(t, 0, 1)
	if expect != "off" {
		startSleepers(t, 3, 1)
	}
	args := []string{"--source=" + source}
	if expect == "reads" {
		args = append(args, "--confine=require")
	}
	var d *running
	if t.Arg("socket", "tcp") == "unix" {
		d = activateDaemon(t, args...)
	} else {
		t.Must(netns.LoopbackUp())
		d = startDaemon(t, args...)
	}
	text := d.scrape(t)
	factSource(t, text)
	wantSeries(t, text, daemonWants(expect, source))
	if expect == "reads" && d.network == "tcp" {
		expectAnswer(t)
	}
	time.Sleep(1100 * time.Millisecond) // beyond --scan.min-interval
	if again := d.scrape(t); !strings.Contains(again, "landlockd_scan_success") {
		t.Errorf("it does not serve a second time: %.200q", again)
	}
	printed := text + d.stop(t)
	if t.Arg("addresses", "0") == "1" {
		for _, args := range [][]string{{"once", "--format=json"}, {"tree", "--domains"}, {"doctor", "--report"}} {
			out, err := exec.Command(daemon, args...).CombinedOutput()
			if err != nil {
				t.Errorf("landlockd %v: %v: %s", args, err, out)
			}
			printed += string(out)
		}
	}
	if a := kernelAddress.FindString(printed); a != "" {
		t.Errorf("it prints what looks like a kernel address: %s", a)
	}
	t.Fact("daemon", fmt.Sprintf("%s: %d bytes printed", expect, len(printed)))
}

// sourceInfo is how the daemon obtains each kind of fact.
var sourceInfo = regexp.MustCompile(`(?m)^landlockd_source_info\{(.*)\} 1$`)

// factSource states how the daemon of a page of metrics obtains each kind of fact: docs/kernels.md
// has it.
func factSource(t *T, text string) {
	if m := sourceInfo.FindStringSubmatch(text); m != nil {
		t.Fact("source", strings.NewReplacer(`"`, "", ",", " ").Replace(m[1]))
	}
}

// expectAnswer asks the daemon on its socket, which believes a peer by means that kernels
// differ in. On a slow machine it closes connections that take too long.
func expectAnswer(t *T) {
	ctx, cancel := context.WithTimeout(context.Background(), daemonTime)
	defer cancel()
	var err error
	for range 10 {
		var snap *scan.Snapshot
		if snap, err = api.AskSnapshot(ctx, api.DefaultPath); err == nil {
			if snap.Find(1) == nil {
				t.Errorf("root is answered with %d processes, and PID 1 is none of them", len(snap.Processes))
			}
			return
		}
	}
	t.Errorf("the daemon does not answer root on its socket: %v", err)
}

// want is a series and the values that it may have.
type want struct {
	series      string
	least, most float64
	absent      bool
}

// wantSeries compares series of a page of metrics.
func wantSeries(t *T, text string, wants []want) {
	for _, w := range wants {
		got, ok := value(text, w.series)
		if w.absent == ok || ok && (got < w.least || got > w.most) {
			t.Errorf("%s is %v (there: %v), want %v to %v (absent: %v)", w.series, got, ok, w.least, w.most, w.absent)
		}
	}
}

func daemonWants(expect, source string) []want {
	is := func(series string, v float64) want { return want{series: series, least: v, most: v} }
	some := func(series string) want { return want{series: series, least: 1, most: 1e6} }
	confined := 1.0
	if expect == "off" {
		confined = 0 // nobody can be in one
	}
	always := []want{
		is(`landlockd_confined{mechanism="capabilities"}`, 1), is(`landlockd_confined{mechanism="no_new_privs"}`, 1),
		is(`landlockd_confined{mechanism="user"}`, 1), is(`landlockd_confined{mechanism="seccomp"}`, 1),
		is(`landlockd_confined{mechanism="landlock"}`, confined), is(`landlockd_confined{mechanism="dumpable"}`, 1),
		is(`landlockd_confined{mechanism="groups"}`, 1), is(`landlockd_confined{mechanism="inherited"}`, 1),
		is(`landlockd_confined{mechanism="keyring"}`, 1),
	}
	switch expect {
	case "off":
		return append(always, is("landlockd_scan_success", 1), is("landlock_enabled", 0), some(`landlock_processes{state="unsandboxed"}`),
			is(`landlock_processes{state="sandboxed"}`, 0), is(`landlock_processes{state="unknown"}`, 0))
	case "lockdown", "nocompiler":
		reason := taskiter.Lockdown
		if expect == "nocompiler" {
			reason = taskiter.NoIterator
		}
		return append(always, is("landlockd_scan_success", 0),
			is(fmt.Sprintf(`landlockd_source_available{reason="%s",source="taskiter"}`, reason), 0),
			want{series: "landlock_enabled", absent: true})
	default:
		sandboxed := `landlock_processes_by_depth{depth="3"}`
		if source == "procattr" {
			sandboxed = `landlock_processes{state="sandboxed"}` // depth is a lower bound there
		}
		return append(always, is("landlockd_scan_success", 1), is("landlock_enabled", 1), some(sandboxed),
			some(`landlock_processes{state="unsandboxed"}`), is(`landlock_processes{state="unknown"}`, 0))
	}
}

// value returns a series of a page of metrics.
func value(text, series string) (float64, bool) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return v, err == nil
		}
	}
	return 0, false
}

// running is landlockd serving.
type running struct {
	cmd *exec.Cmd
	// network and address are where.
	network, address string
	mu               sync.Mutex
	log              bytes.Buffer
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func startDaemon(t *T, args ...string) *running {
	return daemonCommand(daemon, args...).start(t)
}

func daemonCommand(program string, args ...string) *running {
	cmd := exec.Command(program, append(args, "--web.listen-address="+daemonAddress)...)
	return &running{cmd: cmd, network: "tcp", address: daemonAddress}
}

// activateDaemon starts landlockd on a Unix socket, as systemd does.
func activateDaemon(t *T, args ...string) *running {
	const path = "/run/metrics.sock"
	l, err := net.Listen("unix", path)
	t.Must(err)
	t.Cleanup(func() { l.Close() })
	socket, err := l.(*net.UnixListener).File()
	t.Must(err)
	defer socket.Close()
	cmd := exec.Command(self, append([]string{"activate", daemon, "--web.systemd-socket"}, args...)...)
	cmd.ExtraFiles = []*os.File{socket}
	return (&running{cmd: cmd, network: "unix", address: path}).start(t)
}

func (r *running) start(t *T) *running {
	r.cmd.Stdout, r.cmd.Stderr = r, r
	t.Must(r.cmd.Start())
	return r
}

// activate executes a program that was passed one socket.
func activate(args []string) {
	env := append(os.Environ(), "LISTEN_FDS=1", fmt.Sprintf("LISTEN_PID=%d", os.Getpid()))
	exit("activate", syscall.Exec(args[0], args, env))
}

// scrape gets the metrics, and waits for the daemon to be there.
func (r *running) scrape(t *T) string {
	for began := time.Now(); time.Since(began) < daemonTime; time.Sleep(200 * time.Millisecond) {
		if text, err := r.page(); err == nil {
			return text
		}
	}
	t.Fatalf("landlockd does not serve; it says:\n%s", r.text())
	return ""
}

// page gets the metrics once.
func (r *running) page() (string, error) {
	c, err := net.Dial(r.network, r.address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(daemonTime))
	_, _ = io.WriteString(c, "GET /metrics HTTP/1.0\r\n\r\n")
	b, err := io.ReadAll(c)
	if err == nil && !bytes.HasPrefix(b, []byte("HTTP/1.0 200")) {
		err = fmt.Errorf("it answers %.200q", b)
	}
	return string(b), err
}

// stop ends the daemon and returns what it said.
func (r *running) stop(t *T) string {
	t.Must(r.cmd.Process.Signal(syscall.SIGTERM))
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("landlockd ends with %v; it says:\n%s", err, r.text())
	}
	return r.text()
}
