// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// noBPFRole executes a program to which one command of bpf(2) is refused.
func noBPFRole(args []string) error {
	command, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return err
	}
	const firstArgument = 16 // on a little-endian machine
	return executeFiltered(args[1:], []unix.SockFilter{
		{Code: filterLoad, K: 0}, // the system call's number
		{Code: filterEqual, K: unix.SYS_BPF, Jf: 3},
		{Code: filterLoad, K: firstArgument},
		{Code: filterEqual, K: uint32(command), Jf: 1},
		{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: filterReturn, K: unix.SECCOMP_RET_ALLOW},
	})
}

// oneOrOther checks that a program read the host truly, or failed with one clear line.
// Which of them it did is returned.
func oneOrOther(t *testing.T, what string, p *process, sandboxed int) (read bool) {
	t.Helper()
	if p.wait(t) != 0 {
		p.stdout = testenv.Output{} // once has no result, and says so in metrics, too
		checkRefusal(t, p, exitFailure)
		return false
	}
	var s snapshot
	if err := json.Unmarshal([]byte(p.stdout.String()), &s); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if found := s.find(sandboxed); found == nil || found.State != "sandboxed" || found.Depth == nil || *found.Depth != 3 {
		t.Errorf("%s: %+v", what, found)
	}
	return true
}

// TestBPFRefused: whichever command of bpf(2) is refused, or from whichever call on, a scan
// is true or has failed, and the daemon serves that or why it does not start.
func TestBPFRefused(t *testing.T) {
	testenv.NeedRoot(t)
	pid := stay(t, true, sandboxed(3, "sh", "-c", "echo ready; read x")...).cmd.Process.Pid
	failed := 0
	for name, command := range map[string]int{
		"MAP_CREATE": unix.BPF_MAP_CREATE, "MAP_UPDATE_ELEM": unix.BPF_MAP_UPDATE_ELEM, "PROG_LOAD": unix.BPF_PROG_LOAD,
		"BTF_LOAD": unix.BPF_BTF_LOAD, "LINK_CREATE": unix.BPF_LINK_CREATE, "ITER_CREATE": unix.BPF_ITER_CREATE,
		"OBJ_GET_INFO_BY_FD": unix.BPF_OBJ_GET_INFO_BY_FD, "MAP_FREEZE": unix.BPF_MAP_FREEZE,
	} {
		role := []string{self, roleArg, "nobpf", strconv.Itoa(command)}
		if !oneOrOther(t, name, launch(t, nil, append(role, landlockd, "once", "--format=json")...), pid) {
			failed++
		}
		d := newDaemon(t, daemonOptions{prefix: role})
		eventually(t, "the daemon serves or has ended: "+name, func() bool {
			status, _ := d.try("/-/ready")
			return d.ended() || status == 200
		})
		if d.ended() {
			checkRefusal(t, d.process, exitFailure)
			continue
		}
		m := d.scrape(t)
		if facts := m.facts(); m["landlockd_scan_success"] == 0 && len(facts) > 0 {
			t.Errorf("%s: facts of a kernel that was not read: %v", name, facts)
		}
		if m["landlockd_scan_success"] == 1 && m.depth("3") < 1 {
			t.Errorf("%s: depth 3: %d", name, m.depth("3"))
		}
	}
	if failed < 4 {
		t.Errorf("only %d of the commands are needed", failed)
	}
	strace := testenv.NeedTool(t, "strace")
	read := false
	for n := 1; !read; n += 10 {
		if n > 300 {
			t.Fatal("it makes more calls than this test ends")
		}
		for _, errno := range []string{"EPERM", "ENOMEM"} {
			inject := fmt.Sprintf("inject=bpf:error=%s:when=%d+", errno, n)
			read = oneOrOther(t, inject, launch(t, nil, strace, "-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=bpf", "-e", inject,
				landlockd, "once", "--format=json"), pid)
		}
	}
}

// TestReadError: a scan that cannot read to its end fails, shows nothing of what it had read,
// and leaves the next one as it would be.
func TestReadError(t *testing.T) {
	// Of a call that strace answers, a seccomp filter sees no number, and would end the daemon.
	d, _ := startWatched(t, daemonOptions{args: []string{"--confine=off"}})
	for _, fault := range []string{"error=EIO:when=2+5", "error=ENOMEM:when=1+3", "retval=0:when=1+4"} {
		strace := launch(t, nil, testenv.NeedTool(t, "strace"), "-f", "-o", "/dev/null", "-P", "anon_inode:bpf_iter",
			"-e", "inject=read:"+fault, "-p", strconv.Itoa(d.cmd.Process.Pid))
		eventually(t, "the daemon is traced", func() bool {
			return strings.Contains(strace.stderr.String(), "attached") || strace.ended()
		})
		good, bad := 0, 0
		eventually(t, fault+" fails some scans and not all", func() bool {
			switch m := d.scrape(t); {
			case m["landlockd_scan_success"] != 0:
				good++
				m.checkWitnesses(t)
			case len(m.facts()) == 0:
				bad++
			default:
				t.Errorf("%s: facts of a scan that failed: %v", fault, m.facts())
			}
			return good >= 3 && bad >= 3
		})
		strace.signal(t, unix.SIGINT)
		strace.wait(t)
		d.scrape(t).checkWitnesses(t)
	}
	if !strings.Contains(d.stderr.String(), "scan failed") {
		t.Errorf("the log does not say so: %s", &d.stderr)
	}
}
