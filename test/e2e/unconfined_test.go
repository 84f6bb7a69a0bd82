// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// refusingRole executes a program to which some system calls are refused: the names in the
// first argument, joined by commas.
func refusingRole(args []string) error {
	refuse := unix.SockFilter{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	filter := []unix.SockFilter{{Code: filterLoad, K: 0}} // the system call's number
	for name := range strings.SplitSeq(args[0], ",") {
		number, found := map[string]uint32{
			"landlock_restrict_self": unix.SYS_LANDLOCK_RESTRICT_SELF, "seccomp": unix.SYS_SECCOMP,
			"capset": unix.SYS_CAPSET, "setresuid": unix.SYS_SETRESUID, "close_range": unix.SYS_CLOSE_RANGE,
			"setitimer": unix.SYS_SETITIMER, "keyctl": unix.SYS_KEYCTL,
			"memfd_create": unix.SYS_MEMFD_CREATE,
		}[name]
		switch {
		case found:
			filter = append(filter, unix.SockFilter{Code: filterEqual, K: number, Jf: 1}, refuse)
		case name == "join": // a session keyring
			filter = append(filter, unix.SockFilter{Code: filterEqual, K: unix.SYS_KEYCTL, Jf: 4},
				unix.SockFilter{Code: filterLoad, K: 16}, // the first argument
				unix.SockFilter{Code: filterEqual, K: unix.KEYCTL_JOIN_SESSION_KEYRING, Jf: 1}, refuse,
				unix.SockFilter{Code: filterLoad, K: 0})
		default:
			return fmt.Errorf("no system call %q", name)
		}
	}
	allow := unix.SockFilter{Code: filterReturn, K: unix.SECCOMP_RET_ALLOW}
	return executeFiltered(args[1:], append(filter, allow))
}

func refusing(calls string) []string { return []string{self, roleArg, "refusing", calls} }

// noExecutableMemory is a launcher of programs that may execute no file in memory. The
// setting is that of a PID namespace.
func noExecutableMemory(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat("/proc/sys/vm/memfd_noexec"); err != nil {
		t.Fatalf("this test needs Linux 6.3: %v", err)
	}
	return []string{
		testenv.NeedTool(t, "unshare"), "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", `echo 2 >/proc/sys/vm/memfd_noexec && exec "$@"`, "sh",
	}
}

// unconfined is a daemon that cannot be confined in some way.
type unconfined struct {
	name   string
	prefix []string
	args   []string
	failed map[string]string // reasons by mechanism; empty for what is meant
	// advice is in the log, if nothing is scanned.
	advice string
	// always: with best-effort it is the same.
	always bool
	// unscanned: with best-effort its source does not work either.
	unscanned bool
	// inner: what is launched is not the daemon itself, and ends after it.
	inner bool
}

// TestUnconfined: a daemon that cannot be confined in some way serves that fact and nothing
// else, if it is required, and does not end. Else it scans, and reports that.
func TestUnconfined(t *testing.T) {
	testenv.NeedRoot(t)
	for _, c := range []unconfined{
		{
			name: "16 layers", prefix: []string{self, roleArg, "sandbox", "16"},
			failed: map[string]string{"landlock": "too_many_layers"}, advice: "outside of Landlock domains", unscanned: true,
		},
		{
			name: "no domain", prefix: refusing("landlock_restrict_self"),
			failed: map[string]string{"landlock": "refused"}, advice: "landlock_restrict_self(2)", unscanned: true,
		},
		{name: "no files in memory", prefix: refusing("memfd_create"), failed: map[string]string{"dumpable": "refused"}, advice: "0711"},
		{name: "no filter", prefix: refusing("seccomp"), failed: map[string]string{"seccomp": "refused"}, advice: "seccomp(2)"},
		{name: "no keyring", prefix: refusing("join"), failed: map[string]string{"keyring": "refused"}, advice: "keyctl(2)"},
		{name: "descriptors and timers", prefix: refusing("close_range,setitimer"), failed: map[string]string{"inherited": "refused"}, advice: "setitimer(2)"},
		{name: "user", prefix: refusing("setresuid"), failed: map[string]string{"user": "refused"}, advice: "change user to"},
		{name: "root", args: []string{"--user=root"}, failed: map[string]string{"user": "root", "groups": "root"}, advice: "--user"},
		{
			name: "capabilities", prefix: refusing("capset"), args: []string{"--user=root"}, advice: "drop capabilities",
			failed: map[string]string{"user": "root", "groups": "root", "capabilities": "refused"}, always: true,
		},
		{
			name: "no Landlock", prefix: []string{self, roleArg, "nolandlock", "disabled"}, args: []string{withoutLandlock(t, "[none]")},
			failed: map[string]string{"landlock": "unsupported", "capabilities": ""}, advice: "not enabled at boot",
		},
	} {
		c.check(t)
	}
}

// TestNoExecutableMemory: where no file in memory may be executed, the daemon could be traced
// for a moment, while it starts.
func TestNoExecutableMemory(t *testing.T) {
	testenv.NeedRoot(t)
	unconfined{
		name: "no executable memory", prefix: noExecutableMemory(t), inner: true,
		failed: map[string]string{"dumpable": "refused"}, advice: "0711",
	}.check(t)
}

func (c unconfined) check(t *testing.T) {
	t.Helper()
	for _, mode := range []string{"require", "best-effort"} {
		if c.name == "no Landlock" && mode == "best-effort" {
			continue // TestKernelWithoutLandlock has that
		}
		t.Run(c.name+" "+mode, func(t *testing.T) {
			socket := filepath.Join(testenv.PublicDir(t), "api.sock")
			if c.name == "16 layers" {
				socket = "" // they let it make none
			}
			manager, change := serviceManager(t)
			d := newDaemon(t, daemonOptions{prefix: c.prefix, change: change, args: append(c.args, "--confine="+mode, apiFlag+socket)})
			eventually(t, "the daemon serves", func() bool {
				if d.ended() {
					t.Fatalf("the daemon ended with code %d: %s", d.cmd.ProcessState.ExitCode(), &d.stderr)
				}
				_, page := d.try("/metrics")
				return strings.Contains(page, "landlockd_scan_success")
			})
			d.before = d.holds(t)
			if mode == "require" || c.always {
				checkRefused(t, d, c.failed, socket)
				c.checkGaveUp(t, d)
				if !strings.Contains(d.stderr.String(), c.advice) {
					t.Errorf("no %q in the log: %s", c.advice, &d.stderr)
				}
			} else {
				checkReports(t, d, c.failed, c.unscanned)
				if !strings.Contains(d.stderr.String(), "Not confined in every way") {
					t.Errorf("no warning: %s", &d.stderr)
				}
			}
			if !c.inner {
				d.stop(t)
			}
			checkReady(t, manager, mode == "require" || c.always, c.failed)
		})
	}
}

// serviceManager is one that a command is connected to by change.
func serviceManager(t *testing.T) (*net.UnixConn, func(*exec.Cmd)) {
	t.Helper()
	path := filepath.Join(testenv.PublicDir(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, func(c *exec.Cmd) { c.Env = append(c.Env, "NOTIFY_SOCKET="+path) }
}

// checkReady checks that a service manager was notified, which would else start the daemon
// again and again, and with what.
func checkReady(t *testing.T, manager *net.UnixConn, refused bool, failed map[string]string) {
	t.Helper()
	told := strings.Join(receive(t, manager), "\n")
	if !strings.Contains(told, "READY=1") || strings.Contains(told, "Scanning nothing") != refused {
		t.Errorf("the service manager got %q", told)
	}
	for mechanism, reason := range failed {
		if reason == "" {
			continue
		}
		if words := mechanism + " (" + reason + ")"; strings.Contains(told, words) != refused {
			t.Errorf("the service manager got %q, with or without %q", told, words)
		}
	}
}

// checkRefused checks that a daemon serves nothing but that it is not confined, and why.
func checkRefused(t *testing.T, d *daemon, failed map[string]string, socket string) {
	t.Helper()
	if status, body := d.try("/-/healthy"); status != http.StatusOK {
		t.Errorf("/-/healthy: %d %s", status, body)
	}
	status, body := d.try("/-/ready")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "restart") {
		t.Errorf("/-/ready: %d %s", status, body)
	}
	m := d.scrape(t)
	m.has(t, "landlockd_scan_success", 0)
	for series := range m {
		if !strings.HasPrefix(series, "landlockd_") {
			t.Errorf("it exports %s", series)
		}
	}
	got := map[string]string{}
	for series := range m {
		var mechanism, reason string
		name := strings.NewReplacer(`"`, " ", "{", " ", "}", " ", ",", " ").Replace(series)
		if n, _ := fmt.Sscanf(name, "landlockd_confine_failed mechanism= %s reason= %s", &mechanism, &reason); n == 2 {
			got[mechanism] = reason
			m.has(t, series, 1)
			m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, 0)
		}
	}
	want := maps.Clone(failed)
	maps.DeleteFunc(want, func(_, reason string) bool { return reason == "" })
	if !maps.Equal(got, want) {
		t.Errorf("what failed: %v, want %v", got, want)
	}
	for _, mechanism := range mechanisms() {
		if reason, found := failed[mechanism]; !found {
			m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, 1)
		} else if reason != "" && !strings.Contains(body, mechanism+": ") {
			t.Errorf("/-/ready does not say what to do about %s: %s", mechanism, body)
		}
	}
	if c, err := net.Dial("unix", socket); err == nil {
		c.Close()
		t.Error("the API is served")
	} else if _, absent := os.Stat(socket); absent != nil && socket != "" {
		t.Errorf("it was never made: %v", absent)
	}
}

// checkGaveUp checks that a daemon has nothing more of what it was handed to scan with, and
// that nobody reads for it.
func (c unconfined) checkGaveUp(t *testing.T, d *daemon) {
	t.Helper()
	pid := d.cmd.Process.Pid
	if child := besideOrNone(d); c.inner {
		pid = child
	} else if child != 0 {
		eventually(t, "the process that reads for it has ended", func() bool {
			return strings.HasPrefix(statusLine(t, fmt.Sprintf("/proc/%d/status", child), "State"), "Z")
		})
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(files) < 3 {
		t.Fatalf("descriptors: %v, %v", files, err)
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.Contains(to, "bpf") {
			t.Errorf("it has %s", to)
		}
	}
}

// checkReports checks that a daemon serves, and reports what it lacks.
func checkReports(t *testing.T, d *daemon, failed map[string]string, unscanned bool) {
	t.Helper()
	eventually(t, "the daemon is ready", func() bool {
		status, _ := d.try("/-/ready")
		return status == http.StatusOK
	})
	m := d.scrape(t)
	success := 1.0
	if unscanned {
		success = 0
	}
	m.has(t, "landlockd_scan_success", success)
	for _, mechanism := range mechanisms() {
		holds := 1.0
		if _, found := failed[mechanism]; found {
			holds = 0
		}
		m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, holds)
	}
	for series := range m {
		if strings.HasPrefix(series, "landlockd_confine_failed") {
			t.Errorf("it exports %s", series)
		}
	}
}

// Where a filter around it refuses keyctl(2), as container runtimes' do, no keyring can be
// left, and none can be used.
func TestConfinedWithoutKeyrings(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{prefix: refusing("keyctl"), args: []string{"--confine=require"}})
	checkServingStage(t, d, servingUID(t))
	d.stop(t)
}

// A daemon that has kept capabilities, and whose system calls nothing filters, does not
// serve at all.
func TestUnconfinedWithCapabilities(t *testing.T) {
	testenv.NeedRoot(t)
	for _, mode := range []string{"require", "best-effort"} {
		p := launch(t, nil, slices.Concat(refusing("capset,seccomp"), []string{
			landlockd, "--user=root", "--confine=" + mode, apiFlag, "--web.listen-address=" + testenv.FreeAddress(t),
		})...)
		if code := p.wait(t); code != exitFailure || !strings.Contains(p.stderr.String(), "capabilities (refused)") {
			t.Errorf("%s: code %d: %s", mode, code, &p.stderr)
		}
	}
}
