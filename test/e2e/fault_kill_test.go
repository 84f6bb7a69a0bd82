// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestKilledAtAnyTime: whenever in its start or its first scrapes the daemon is killed, the
// next one starts at the same address, socket and configuration, and says what is true.
func TestKilledAtAnyTime(t *testing.T) {
	const kills = 100
	startWitnesses(t)
	socket := filepath.Join(testenv.PublicDir(t), "landlockd.sock")
	o := daemonOptions{
		addr: testenv.FreeAddress(t), args: []string{
			newConfig(t, "rules: [{name: witness, match: {unit: ["+witnessUnit+"]}, grace: 0s}]\n").flag(), apiFlag + socket,
			"--confine=require",
		},
	}
	o.args = append(o.args, "--web.listen-address="+o.addr)
	check := func() time.Duration {
		began := time.Now()
		d := startDaemon(t, o)
		took := time.Since(began)
		eventually(t, "the witnesses are known", func() bool {
			return d.scrape(t)[`landlock_rule_processes{result="violating",rule="witness"}`] == 2
		})
		d.scrape(t).checkWitnesses(t)
		if p := run(t, "explain", "--no-paths", "--api.socket="+socket, "1"); strings.Contains(p.stderr.String(), socket) {
			t.Errorf("the socket: %s", &p.stderr)
		}
		d.stop(t)
		return took
	}
	whole := min(check(), 200*time.Millisecond) // a busy host takes longer, and dies as often
	random := rand.New(rand.NewPCG(1, 1))
	for range kills {
		d := newDaemon(t, o)
		time.Sleep(time.Duration(random.Int64N(int64(whole * 5 / 4))))
		if d.ended() {
			t.Fatalf("the daemon ended with %d: %s", d.cmd.ProcessState.ExitCode(), &d.stderr)
		}
		d.signal(t, syscall.SIGKILL)
		d.wait(t)
	}
	check()
}

// TestKilledWithReader: whenever the daemon is killed, the process beside it ends, be it the one
// that reads the attribute or the one that finds what assets are.
func TestKilledWithReader(t *testing.T) {
	testenv.NeedRoot(t)
	_, assets := secrets(t)
	for name, o := range map[string]daemonOptions{
		"reader": withReader(t), "resolver": {args: []string{newConfig(t, assets).flag()}},
	} {
		began := time.Now()
		startDaemon(t, o).stop(t)
		whole := min(time.Since(began), 400*time.Millisecond)
		random := rand.New(rand.NewPCG(1, 1))
		for i := range 6 {
			d := newDaemon(t, o)
			if i%2 == 0 { // a busy host takes its time
				eventually(t, "there is a "+name, func() bool { return besideOrNone(d) != 0 })
			}
			time.Sleep(time.Duration(random.Int64N(int64(whole))))
			// It is in the group of the process that started it.
			d.signal(t, syscall.SIGKILL)
			eventually(t, "all that it started has ended", func() bool {
				return errors.Is(syscall.Kill(-d.cmd.Process.Pid, 0), syscall.ESRCH)
			})
			d.wait(t)
		}
	}
}

// TestTextfileKilled: a file for node_exporter is whole, whenever its writer is killed.
func TestTextfileKilled(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	path := filepath.Join(dir, "landlockd.prom")
	began := time.Now()
	if p := run(t, "once", "--textfile="+path); p.wait(t) != 0 {
		t.Fatal(&p.stderr)
	}
	whole := time.Since(began)
	random := rand.New(rand.NewPCG(1, 1))
	for range 15 {
		p := launch(t, nil, landlockd, "once", "--textfile="+path)
		time.Sleep(whole/2 + time.Duration(random.Int64N(int64(whole))))
		p.signal(t, syscall.SIGKILL)
		p.wait(t)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		parseMetrics(t, string(b)).has(t, "landlockd_scan_success", 1)
	}
	read, err := filepath.Glob(filepath.Join(dir, "*.prom"))
	if err != nil || len(read) != 1 {
		t.Errorf("node_exporter would read %v, %v", read, err)
	}
}

// TestFailureIsNoWrongUsage: Go ends a program that fails, or that gets no thread because some
// user has taken all, with the status of wrong usage, which the unit starts no more. As the
// unit starts it, a signal ends it, once each thread has shown where it was.
func TestFailureIsNoWrongUsage(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/systemd/landlockd.service")
	if err != nil {
		t.Fatal(err)
	}
	const crash = "GOTRACEBACK=crash"
	if !strings.Contains(string(unit), "\nEnvironment="+crash+"\n") {
		t.Errorf("no %s in the unit", crash)
	}
	d := startDaemon(t, daemonOptions{change: func(c *exec.Cmd) { c.Env = append(c.Env, crash) }})
	d.signal(t, syscall.SIGQUIT) // what Go's runtime does then, it does in every failure
	d.wait(t)
	status, ok := d.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGABRT {
		t.Errorf("it ended by %v", d.cmd.ProcessState)
	}
}

// halt stops a process, and waits until each of its threads stands still: on a busy host they
// go on for a while after SIGSTOP was sent.
func halt(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all threads stand still", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		return err == nil && !slices.ContainsFunc(threads, func(status string) bool {
			text, err := os.ReadFile(status)
			return err != nil || !strings.Contains(string(text), "\nState:\tT")
		})
	})
}

// TestStopped: a daemon that stood still answers with what is true now, and not with what
// was true before; who asked meanwhile is answered, or has gone.
func TestStopped(t *testing.T) {
	d, tree := startWatched(t, daemonOptions{})
	halt(t, d.cmd.Process.Pid)
	stopped := time.Now()
	tree.put(witnessUnit, stay(t, true, sandboxed(2, "sh", "-c", "echo ready; read x")...))
	answers := make(chan metrics, 20)
	for range cap(answers) {
		go func() {
			client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
			w := &daemon{addr: d.addr, client: &client, scheme: "http"}
			var m metrics
			if status, page := w.try("/metrics"); status == http.StatusOK {
				m = parseMetrics(t, page)
			}
			answers <- m
		}()
	}
	time.Sleep(3 * time.Second)
	if n := len(answers); n != 0 {
		t.Errorf("%d were answered", n)
	}
	d.signal(t, syscall.SIGCONT)
	served := 0
	for range cap(answers) {
		if m := <-answers; m != nil {
			served++
			if n := m.workload(witnessUnit, "sandboxed"); n != 3 {
				t.Errorf("who waited reads that %v witnesses are sandboxed, want 3", n)
			}
		}
	}
	if served == 0 {
		t.Error("nobody who waited was answered")
	}
	m := d.scrape(t)
	if at := m["landlockd_last_scan_timestamp_seconds"]; at < float64(stopped.Add(3*time.Second).Unix()) {
		t.Errorf("the last scan was at %v, it was stopped at %v", at, stopped)
	}
	if n := m.workload(witnessUnit, "sandboxed"); n != 3 {
		t.Errorf("%v witnesses are sandboxed, want 3", n)
	}
	d.stop(t)
}
