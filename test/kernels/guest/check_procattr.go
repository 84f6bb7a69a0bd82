// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// checkNoAttr is for stock kernels: the source that reads the attribute says
// that there is none.
func checkNoAttr(t *T) {
	s, err := procattr.Open(procattr.Options{})
	if err == nil {
		s.Close()
		t.Fatalf("procattr.Open succeeds on a stock kernel")
	}
	var e *scan.Error
	if !errors.As(err, &e) || e.Reason != procattr.NoAttribute {
		t.Errorf("procattr.Open: %v; want reason %q", err, procattr.NoAttribute)
	}
}

// checkProcAttr compares the source that reads the attribute with random
// forests, and checks what it says when it may not see everything. Arguments as
// for truth.
func checkProcAttr(t *T) {
	source, err := procattr.Open(procattr.Options{})
	if err != nil {
		t.Fatalf("procattr.Open: %v", err)
	}
	defer func() {
		if err := source.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if form := source.Form(); form != "domain ID or none" {
		t.Errorf("the form is %q", form)
	}
	compareForests(t, source, truth.Config{
		NoLineage: true, NoHandled: true, NoViews: true, NoActing: true, StartUnit: scan.StatTick,
	})
	snap := scanOnce(t, source)
	if p := snap.Find(int32(os.Getpid())); p == nil || p.State != scan.Unsandboxed {
		t.Errorf("of this process it says %+v, want unsandboxed", p)
	}
	procAttrHidden(t)
	procAttrYama(t)
}

// procAttrHidden: what a reader may not see is unknown or not there, and never
// unsandboxed.
func procAttrHidden(t *T) {
	sandboxed, free := startSleepers(t, 1, 1)[0].pid, startSleepers(t, 0, 1)[0].pid
	seen := fmt.Sprintf("%d sandboxed  / %d unsandboxed ", sandboxed, free)
	denied := fmt.Sprintf("%d unknown denied / %d unknown denied", sandboxed, free)
	gone := fmt.Sprintf("%d absent / %d absent", sandboxed, free)
	pids := []string{fmt.Sprint(sandboxed), fmt.Sprint(free)}
	for _, hide := range []struct{ option, nobody string }{{"0", denied}, {"1", denied}, {"2", gone}, {"4", gone}} {
		proc := "/tmp/proc-hidepid-" + hide.option
		t.Must(os.Mkdir(proc, 0o755))
		t.Must(unix.Mount("proc", proc, "proc", 0, "hidepid="+hide.option))
		args := append([]string{"attr-scan", proc}, pids...)
		for _, who := range []struct {
			name, want string
			cmd        *exec.Cmd
		}{
			{"root", seen, exec.Command(self, args...)},
			{"nobody with CAP_SYS_PTRACE", seen, asNobodyCommand(1<<unix.CAP_SYS_PTRACE, args...)},
			{"nobody", hide.nobody, asNobodyCommand(0, args...)},
		} {
			out, err := who.cmd.CombinedOutput()
			if got := strings.ReplaceAll(strings.TrimSuffix(string(out), "\n"), "\n", " / "); err != nil || got != who.want {
				t.Errorf("hidepid=%s, %s: %q (%v), want %q", hide.option, who.name, got, err, who.want)
			}
		}
		t.Must(unix.Unmount(proc, 0))
	}
}

// procAttrYama: Yama restricts attaching, not reading. It cannot be relaxed
// again.
func procAttrYama(t *T) {
	const scope = "/proc/sys/kernel/yama/ptrace_scope"
	if _, err := os.Stat(scope); err != nil {
		return // not booted with Yama
	}
	sandboxed, free := startSleepers(t, 1, 1)[0].pid, startSleepers(t, 0, 1)[0].pid
	want := fmt.Sprintf("%d sandboxed \n%d unsandboxed \n", sandboxed, free)
	for value := range 4 {
		t.Must(os.WriteFile(scope, fmt.Append(nil, value), 0))
		cmd := asNobodyCommand(1<<unix.CAP_SYS_PTRACE, "attr-scan", "/proc", fmt.Sprint(sandboxed), fmt.Sprint(free))
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("ptrace_scope %d: %q (%v), want %q", value, out, err, want)
		}
	}
}

// attrScan prints what the source says of processes.
func attrScan(args []string) {
	s, err := procattr.Open(procattr.Options{ProcFS: args[0]})
	exit("open", err)
	snap, err := s.Scan(context.Background())
	exit("scan", err)
	for _, pid := range args[1:] {
		if p := snap.Find(int32(atoi(pid))); p != nil {
			fmt.Println(pid, p.State, p.Reason)
		} else {
			fmt.Println(pid, "absent")
		}
	}
}
