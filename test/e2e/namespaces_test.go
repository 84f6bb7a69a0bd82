// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// shortly is more than a test takes, and less than the time namespaces are off by.
const shortly = 90 * time.Second

// within runs programs in a namespace of their own: of the flags of clone(2), or made
// by a launcher.
type within struct {
	flags  uintptr
	prefix []string
}

func (w within) change(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: w.flags}
	if w.flags&unix.CLONE_NEWUSER != 0 {
		maps := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
		c.SysProcAttr.UidMappings, c.SysProcAttr.GidMappings = maps, maps
	}
}

func (w within) run(t *testing.T, args ...string) *process {
	t.Helper()
	p := launch(t, w.change, append(append([]string{}, w.prefix...), append([]string{landlockd}, args...)...)...)
	p.wait(t)
	return p
}

// timedSnapshot is what these tests read of `landlockd once --format=json`.
type timedSnapshot struct {
	Source struct{ PIDNS string }
	Scan   struct{ Uptime float64 }
	Counts struct{ Processes struct{ Total int } }
	// Processes by PID.
	Processes []struct {
		PID             int
		StartNS         json.Number `json:"start_ns"`
		Start           float64
		State, Workload string
		Exe             string
		UID             uint32
	}
}

func (w within) snapshot(t *testing.T, args ...string) (s timedSnapshot) {
	t.Helper()
	p := w.run(t, append([]string{"once", "--format=json"}, args...)...)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("once: exit code %d: %s", code, &p.stderr)
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &s); err != nil {
		t.Fatalf("once --format=json: %v", err)
	}
	if n := len(s.Processes); n != s.Counts.Processes.Total || n == 0 {
		t.Errorf("%d processes are counted, and %d are there", s.Counts.Processes.Total, n)
	}
	return s
}

// timeNamespace has both clocks differ from the host's, by seconds.
func timeNamespace(t *testing.T, boottime string) within {
	return within{prefix: []string{
		testenv.NeedTool(t, "unshare"), "--time", "--boottime", boottime, "--monotonic", "1000000",
	}}
}

// TestNamespaces: in each kind of namespace of its own, but those of PIDs and users,
// landlockd shows the ages, names and numbers that it shows on the host.
func TestNamespaces(t *testing.T) {
	testenv.NeedRoot(t)
	tree := newCgroupTree(t)
	p := stay(t, false, sandboxed(1, copyOfCat(t, "spaced"))...)
	tree.put("lltest-spaced.service", p)
	pid := p.cmd.Process.Pid
	find := func(s timedSnapshot) int {
		for i := range s.Processes {
			if s.Processes[i].PID == pid {
				return i
			}
		}
		return -1
	}
	var host timedSnapshot
	eventually(t, "the process is sandboxed and named", func() bool {
		host = within{}.snapshot(t)
		i := find(host)
		return i >= 0 && host.Processes[i].State == "sandboxed" &&
			host.Processes[i].Workload == "lltest-spaced.service"
	})
	want := host.Processes[find(host)]
	rules := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"), `
rules:
  - {name: young, match: {unit: [lltest-spaced.service]}, expect: {min_depth: 9}, grace: 1h}
  - {name: line, match: {unit: [lltest-spaced.service], cmdline: ["**spaced**"]}, expect: {min_depth: 9}, grace: 1h}
`, 0o644)

	for name, w := range map[string]within{
		"none":         {},
		"time, later":  timeNamespace(t, "100000"),
		"time, before": timeNamespace(t, "-100"),
		"cgroup":       {flags: unix.CLONE_NEWCGROUP},
		"mount":        {flags: unix.CLONE_NEWNS},
		"network":      {flags: unix.CLONE_NEWNET},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.snapshot(t)
			i := find(s)
			if i < 0 || s.Processes[i] != want {
				t.Fatalf("%+v, want %+v", s.Processes, want)
			}
			if passed := s.Scan.Uptime - host.Scan.Uptime; passed < 0 || passed > shortly.Seconds() {
				t.Errorf("up for %v s, shortly before for %v s", s.Scan.Uptime, host.Scan.Uptime)
			}
			if s.Source.PIDNS != "init" {
				t.Errorf("PID namespace: %s", s.Source.PIDNS)
			}
			c := w.run(t, "check", "--config.file="+rules)
			if code := c.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("check: exit code %d: %s%s", code, &c.stdout, &c.stderr)
			}
			for _, rule := range []string{"young", "line"} {
				if !regexp.MustCompile(rule + ` +starting +warning +0 +0 +1 +0`).MatchString(c.stdout.String()) {
					t.Errorf("check: %s is not starting: %s", rule, &c.stdout)
				}
			}
			e := w.run(t, "explain", fmt.Sprint(pid))
			out := e.stdout.String()
			if e.cmd.ProcessState.ExitCode() != 0 || strings.Contains(out, "not sought") {
				t.Errorf("explain: %s%s", out, &e.stderr)
			}
			if age := time.Since(startedAt(t, out)); age < -time.Second || age > shortly {
				t.Errorf("explain: it is %v old: %s", age, out)
			}
			if w.flags == unix.CLONE_NEWNET {
				return // its loopback is another; see TestNetworkNamespace
			}
			d := startDaemon(t, daemonOptions{
				prefix: w.prefix, change: w.change, args: []string{"--confine=require", "--config.file=" + rules},
			})
			m := d.scrape(t)
			m.has(t, `landlock_rule_processes{result="starting",rule="young"}`, 1)
			m.has(t, `landlock_rule_processes{result="starting",rule="line"}`, 1)
			m.has(t, `landlock_workload_processes{state="sandboxed",workload="lltest-spaced.service"}`, 1)
			d.stop(t)
		})
	}
}

var started = regexp.MustCompile(`(?m)^ *started +(\S+)$`)

// startedAt returns when a process was started, as explain says.
func startedAt(t *testing.T, explained string) time.Time {
	t.Helper()
	m := started.FindStringSubmatch(explained)
	if m == nil {
		t.Fatalf("no start is told: %s", explained)
	}
	at, err := time.Parse(time.RFC3339, m[1])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestNetworkNamespace: it is said that no denials will come.
func TestNetworkNamespace(t *testing.T) {
	testenv.NeedRoot(t)
	d := newDaemon(t, daemonOptions{change: within{flags: unix.CLONE_NEWNET}.change})
	eventually(t, "it says so", func() bool {
		log := d.stderr.String()
		return strings.Contains(log, "level=WARN") && strings.Contains(log, "network namespace of its own") ||
			d.ended()
	})
	doctor := within{flags: unix.CLONE_NEWNET}.run(t, "doctor")
	if !strings.Contains(doctor.stdout.String(), "network namespace of its own") {
		t.Errorf("doctor: %s", &doctor.stdout)
	}
	// What records come here, come to the host's own.
	outside := startDaemon(t, daemonOptions{})
	outside.stop(t)
	if strings.Contains(outside.stderr.String(), "network namespace of its own") {
		t.Errorf("it says so outside, too: %s", &outside.stderr)
	}
}

// TestPIDNamespace: it is said that it sees a part, whichever procfs is mounted, and
// nothing that procfs has under the PID of another process is taken for its own.
func TestPIDNamespace(t *testing.T) {
	testenv.NeedRoot(t)
	mounted := within{prefix: []string{testenv.NeedTool(t, "unshare"), "--pid", "--fork", "--kill-child", "--mount-proc"}}
	for name, w := range map[string]within{"procfs of its own": mounted, "the host's": {flags: unix.CLONE_NEWPID}} {
		t.Run(name, func(t *testing.T) {
			host := within{}.snapshot(t)
			s := w.snapshot(t)
			if len(s.Processes) != 1 || s.Processes[0].PID != 1 || s.Source.PIDNS != "nested" {
				t.Fatalf("%+v", s)
			}
			if start := s.Processes[0].Start; start < host.Scan.Uptime || start > s.Scan.Uptime {
				t.Errorf("started at %v, between %v and %v", start, host.Scan.Uptime, s.Scan.Uptime)
			}
			e := w.run(t, "explain", "1")
			foreign := w.flags != 0
			if out := e.stdout.String(); !strings.Contains(out, "landlockd") ||
				strings.Contains(out, "procfs is that of another PID namespace") != foreign {
				t.Errorf("explain: %s%s", out, &e.stderr)
			}
			d := startDaemon(t, daemonOptions{prefix: w.prefix, change: w.change, args: []string{"--confine=require"}})
			m := d.scrape(t)
			if !strings.Contains(d.stderr.String(), "Running in an inner PID namespace") {
				t.Errorf("the log does not say so: %s", &d.stderr)
			}
			if n := m.state("unsandboxed") + m.state("sandboxed") + m.state("partial") + m.state("unknown"); n != 1 {
				t.Errorf("%d processes", n)
			}
			// Its own: the first process of the host is older.
			began := time.Unix(int64(m["process_start_time_seconds"]), 0)
			if age := time.Since(began); age < -time.Minute || age > shortly {
				t.Errorf("the daemon started %v ago", age)
			}
		})
	}
}

// TestUserNamespace: the task iterator says what it lacks, and what procfs says of
// users there is taken for unknown.
func TestUserNamespace(t *testing.T) {
	testenv.NeedRoot(t)
	w := within{flags: unix.CLONE_NEWUSER}
	p := w.run(t, "once")
	if code := p.cmd.ProcessState.ExitCode(); code == 0 || !strings.Contains(p.stderr.String(), "initial user namespace") {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
	const unknown = ^uint32(0)
	for _, s := range withoutLandlockIn(t, w).Processes {
		if s.UID != unknown {
			t.Errorf("process %d is of user %d", s.PID, s.UID)
		}
	}
	// No other user than root is there to serve as.
	d := startDaemon(t, daemonOptions{
		prefix: []string{self, roleArg, "nolandlock", "not_built"}, change: w.change,
		args: []string{"--confine=off", "--source=procattr", withoutLandlock(t, lockdownOff)},
	})
	if !strings.Contains(d.stderr.String(), "Users of processes are not known") {
		t.Errorf("the log does not say so: %s", &d.stderr)
	}
}

// TestProcAttrInTimeNamespace: what procfs says of starts is corrected.
func TestProcAttrInTimeNamespace(t *testing.T) {
	testenv.NeedRoot(t)
	pid := stay(t, false, "sh", "-c", "read x").cmd.Process.Pid
	starts := func(s timedSnapshot) float64 {
		for _, p := range s.Processes {
			if p.PID == pid {
				return p.Start
			}
		}
		t.Fatalf("process %d is missing", pid)
		return 0
	}
	want := starts(within{}.snapshot(t))
	for _, boottime := range []string{"0", "100000", "-100"} {
		s := withoutLandlockIn(t, timeNamespace(t, boottime))
		if got := starts(s); got > want || got < want-0.011 {
			t.Errorf("%s: started at %v, want %v", boottime, got, want)
		}
		if age := s.Scan.Uptime - want; age < 0 || age > shortly.Seconds() {
			t.Errorf("%s: it is %v s old", boottime, age)
		}
	}
}

// withoutLandlockIn scans with the attribute's source, as where there is no Landlock.
func withoutLandlockIn(t *testing.T, w within) timedSnapshot {
	t.Helper()
	w.prefix = append(append([]string{}, w.prefix...), self, roleArg, "nolandlock", "not_built")
	return w.snapshot(t, "--source=procattr", withoutLandlock(t, lockdownOff))
}

const lockdownOff = "[none] integrity confidentiality"
