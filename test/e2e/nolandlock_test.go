// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/testenv"
)

// noLandlockRole executes a program to which landlock_create_ruleset(2) says that
// this kernel was built without Landlock ("not_built") or that it is off
// ("disabled"), and to which bpf(2) is forbidden.
func noLandlockRole(args []string) error {
	errno := map[string]unix.Errno{"not_built": unix.ENOSYS, "disabled": unix.EOPNOTSUPP}[args[0]]
	if errno == 0 {
		return fmt.Errorf("no answer %q", args[0])
	}
	return executeFiltered(args[1:], []unix.SockFilter{
		{Code: filterLoad, K: 0}, // the system call's number
		{Code: filterEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: filterEqual, K: unix.SYS_BPF, Jf: 1},
		{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: filterReturn, K: unix.SECCOMP_RET_ALLOW},
	})
}

// noScopesRole executes a program to which landlock_create_ruleset(2) refuses every
// scope, the kernel's way ("EINVAL") or another's ("EPERM").
func noScopesRole(args []string) error {
	errno := map[string]unix.Errno{"EINVAL": unix.EINVAL, "EPERM": unix.EPERM}[args[0]]
	if errno == 0 {
		return fmt.Errorf("no answer %q", args[0])
	}
	const sizeWithScopes = 24
	return executeFiltered(args[1:], []unix.SockFilter{
		{Code: filterLoad, K: 0}, // the system call's number
		{Code: filterEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 3},
		{Code: filterLoad, K: 24}, // the size, on a little-endian machine
		{Code: filterEqual, K: sizeWithScopes, Jf: 1},
		{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: filterReturn, K: unix.SECCOMP_RET_ALLOW},
	})
}

// Instructions of a seccomp filter.
const (
	filterLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	filterEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	filterReturn = unix.BPF_RET | unix.BPF_K
)

// executeFiltered executes a program under a seccomp filter.
func executeFiltered(args []string, filter []unix.SockFilter) error {
	runtime.LockOSThread()
	if err := landlock.NoNewPrivs(); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return err
	}
	return execute(args)
}

// withoutLandlock returns the flag of a sysfs in which Landlock is no security
// module, so that what the filter answers is believed.
func withoutLandlock(t *testing.T, lockdown string) string {
	t.Helper()
	sysfs := testenv.PublicDir(t)
	dir := filepath.Join(sysfs, "kernel/security")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "lsm"), "lockdown,capability,yama", 0o644)
	write(t, filepath.Join(dir, "lockdown"), lockdown, 0o644)
	if err := os.Symlink("/sys/fs", filepath.Join(sysfs, "fs")); err != nil {
		t.Fatal(err)
	}
	return "--path.sysfs=" + sysfs
}

// checkAllUnsandboxed checks metrics of a host without Landlock.
func checkAllUnsandboxed(t *testing.T, m metrics, reason string) {
	t.Helper()
	m.has(t, "landlockd_scan_success", 1)
	m.has(t, "landlock_enabled", 0)
	for _, state := range []string{"sandboxed", "partial", "unknown"} {
		m.has(t, `landlock_processes{state="`+state+`"}`, 0)
	}
	for _, state := range []string{"sandboxed", "unknown"} {
		m.has(t, `landlock_threads{state="`+state+`"}`, 0)
	}
	if n := m.state("unsandboxed"); n < 3 {
		t.Errorf("%d processes", n)
	}
	m.has(t, `landlockd_source_available{reason="`+reason+`",source="taskiter"}`, 0)
	m.has(t, `landlockd_source_available{reason="",source="procattr"}`, 1)
	for series := range m {
		if !strings.HasPrefix(series, "landlockd_source_info") {
			continue
		}
		for _, label := range []string{`ids="none"`, `lineage="none"`, `rules="none"`, `denials="none"`, `runs="none"`} {
			if !strings.Contains(series, label) {
				t.Errorf("%s: want %s", series, label)
			}
		}
	}
}

// A kernel that is known to have no Landlock sandboxes nothing, whether or not it
// has BPF, and landlockd the privilege for it.
func TestKernelWithoutLandlock(t *testing.T) {
	testenv.NeedRoot(t)
	// One that users without privileges may execute, too.
	launcher := filepath.Join(testenv.PublicDir(t), "launcher")
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	write(t, launcher, string(program), 0o755)
	const unlocked = "[none] integrity confidentiality"
	for _, c := range []struct {
		name, is, lockdown, reason string
		role                       []string
		change                     func(*exec.Cmd)
		ptrace                     bool // the reader has CAP_SYS_PTRACE
	}{
		{"bpf refused", "not_built", unlocked, "refused", nil, nil, true},
		{"no type information", "disabled", unlocked, "no_btf", []string{self, roleArg, "hidebtf"}, nil, true},
		{"locked down", "disabled", "none integrity [confidentiality]", "lockdown", nil, nil, true},
		{"no privilege", "not_built", unlocked, "no_capability", nil, asNobody(), false},
		{"a privilege that does not help", "disabled", unlocked, "no_capability", nil, asNobody(unix.CAP_BPF), false},
		{"one that shows more", "disabled", unlocked, "no_capability", nil, asNobody(unix.CAP_SYS_PTRACE), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			flag := withoutLandlock(t, c.lockdown)
			role := append(c.role, launcher, roleArg, "nolandlock", c.is)
			for _, source := range []string{"auto", "taskiter"} {
				once := launch(t, c.change, append(role, landlockd, "once", flag, "--source="+source)...)
				if code := once.wait(t); code != 0 {
					t.Fatalf("once ends with %d: %s", code, &once.stderr)
				}
				checkAllUnsandboxed(t, parseMetrics(t, once.stdout.String()), c.reason)
				promtool(t, once.stdout.String())
			}
			d := startDaemon(t, daemonOptions{prefix: role, args: []string{flag}, change: c.change})
			m := d.scrape(t)
			checkAllUnsandboxed(t, m, c.reason)
			m.has(t, `landlockd_confined{mechanism="landlock"}`, 0)
			for _, mechanism := range []string{"capabilities", "no_new_privs", "seccomp", "user", "keyring", "inherited"} {
				m.has(t, `landlockd_confined{mechanism="`+mechanism+`"}`, 1)
			}
			reader := checkReader(t, d, c.ptrace)
			d.stop(t)
			checkBesideRefusals(t, reader)
			p := launch(t, c.change, append(role, landlockd, "doctor", flag)...)
			if code := p.wait(t); code != 0 || !strings.Contains(p.stdout.String(), "every process is unsandboxed") ||
				strings.Contains(p.stdout.String(), "[FAIL]") {
				t.Errorf("doctor ends with %d:\n%s%s", code, &p.stdout, &p.stderr)
			}
		})
	}
}

// A kernel that promises an ABI and refuses rights of it, as some of RHEL 9 do, is
// read as any other, and what it refuses is not asked for. A filter that refuses
// leaves it unknown.
func TestKernelThatRefusesRights(t *testing.T) {
	testenv.NeedRoot(t)
	if abi, err := landlock.ABI(); err != nil || abi < 6 {
		t.Fatalf("Landlock's ABI is %d (%v): scopes need 6, Linux 6.12", abi, err)
	}
	for errno, want := range map[string]string{
		"EINVAL": "refused, though its ABI has them: scope.abstract_unix_socket, scope.signal\n",
		"EPERM":  "not known, because asking was not answered: scope.abstract_unix_socket, scope.signal,",
	} {
		role := []string{self, roleArg, "noscopes", errno}
		p := launch(t, nil, append(role, landlockd, "doctor")...)
		out := ""
		if code := p.wait(t); code == 0 {
			out = p.stdout.String()
		}
		if !strings.Contains(out, want) || strings.Contains(out, "[FAIL]") {
			t.Errorf("%s: want %q in:\n%s%s", errno, want, out, &p.stderr)
		}
		d := startDaemon(t, daemonOptions{prefix: role, args: []string{"--confine=require"}})
		m := d.scrape(t)
		m.has(t, "landlockd_scan_success", 1)
		m.has(t, `landlockd_confined{mechanism="landlock"}`, 1)
		d.stop(t)
	}
}
