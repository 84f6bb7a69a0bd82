// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/testenv"
)

// roleEnv makes the test binary do something else than run the tests: some of
// what is tested changes a process for ever.
const roleEnv = "PROCATTR_TEST_ROLE"

var roles = map[string]func(args []string) error{"hidepid": roleHidePID}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// withoutLandlock opens a source on a real proc file system that reads no
// attribute: all but that is as it always is.
func withoutLandlock(proc string) (*Source, error) {
	return open(Options{ProcFS: proc}, scan.Kernel{Landlock: scan.Disabled}, nil)
}

// A kernel without the attribute is a stated failure; one with it is read.
func TestOpen(t *testing.T) {
	testenv.NeedRoot(t)
	s, err := Open(Options{})
	if _, missing := os.Stat("/proc/self/attr/landlock"); missing != nil {
		var e *scan.Error
		if !errors.As(err, &e) || e.Reason != NoAttribute || scan.FailureReason(err) != "no_attribute" {
			t.Fatalf("error %v", err)
		}
		t.Logf("%v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	self := int32(os.Getpid())
	p := probe{proc: s.reader.proc, mount: "/proc", limit: s.kernel.NestingLimit()}
	if p := mustFind(t, mustScan(t, s), self); p.State != scan.Unsandboxed || int(p.NumTasks) < 2 {
		t.Errorf("this process: %+v", p)
	}
	h, err := p.start(shallowLayers)
	if err != nil {
		t.Fatal(err)
	}
	if p := mustFind(t, mustScan(t, s), self); p.State != scan.Partial {
		t.Errorf("with one thread in a domain: %+v", p)
	}
	h.release()
	t.Logf("%s: %v, %+v", s.File(), s.Form(), s.Info())
}

func TestOpenWithoutProcFS(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		var e *scan.Error
		if _, err := withoutLandlock(dir); !errors.As(err, &e) || e.Reason != NoProcFS {
			t.Errorf("error %v", err)
		}
	}
}

// Helpers are where they say, and this process is in no domain.
func TestProbe(t *testing.T) {
	kernel, err := landlock.Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	if kernel.Landlock != scan.Enabled {
		t.Skip("Landlock is not enabled")
	}
	p := probe{proc: unix.AT_FDCWD, mount: "/proc", limit: kernel.NestingLimit()}
	own, err := p.ownDepth()
	if err != nil || own != 0 {
		t.Errorf("own depth %d, %v", own, err)
	}
	h, err := p.start(deepLayers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/" + h.attr); err != nil {
		t.Error(err)
	}
	h.release()
	if _, err := os.Stat("/proc/" + h.attr); err == nil {
		t.Error("a helper that was released is still there")
	}
}

// What is read of real processes is what they are.
func TestScanRealProcesses(t *testing.T) {
	testenv.NeedRoot(t)
	s, err := withoutLandlock("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	if sleep, err = filepath.EvalSymlinks(sleep); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sleep, "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for range 3 {
		mustScan(t, s)
	}
	snap := mustScan(t, s)
	p := mustFind(t, snap, int32(cmd.Process.Pid))
	if p.Exe != sleep || p.Comm.String() != "sleep" || p.UID != 65534 || int(p.PPID) != os.Getpid() || p.NumTasks != 1 ||
		p.State != scan.Unsandboxed || p.NoNewPrivs != scan.OfNone || p.Exec != 0 {
		t.Errorf("%+v", p)
	}
	var ns unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &ns); err != nil {
		t.Fatal(err)
	}
	if uint64(p.UserNS) != ns.Ino || p.MountNSOwner != p.UserNS {
		t.Errorf("user namespace %d, owner of the mount namespace %d; want %d", p.UserNS, p.MountNSOwner, ns.Ino)
	}
	self := mustFind(t, snap, int32(os.Getpid()))
	if threads, err := os.ReadDir("/proc/self/task"); err != nil || len(threads) < int(self.NumTasks) {
		t.Errorf("%d threads, %v; told %d", len(threads), err, self.NumTasks)
	}
	tasks := snap.TasksOf(self)
	if self.NumTasks < 2 || tasks[0].Start != self.Start || tasks[1].Start < self.Start {
		t.Errorf("%+v: %+v", self, tasks)
	}
	for i := range snap.Processes {
		if p := &snap.Processes[i]; p.Start == 0 && p.PID > 2 || p.NumTasks < 1 {
			t.Errorf("%+v", p)
		}
	}
	if snap.Find(2) != nil && snap.Source.PIDNS == "init" {
		t.Error("kthreadd is there")
	}
	if want, err := os.Readlink("/proc/self/ns/pid"); err != nil || (want == fmt.Sprintf("pid:[%d]", uint64(initPIDNS))) != (snap.Source.PIDNS == "init") {
		t.Errorf("PID namespace %s is told as %s", want, snap.Source.PIDNS)
	}
}

// A process that executes another program is noticed, and its threads' end too.
func TestScanNoticesExec(t *testing.T) {
	s, err := withoutLandlock("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cmd := exec.Command("sh", "-c", "read x; exec sleep 60")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	pid := int32(cmd.Process.Pid)
	for range 10 {
		mustScan(t, s)
	}
	before := *mustFind(t, mustScan(t, s), pid)
	fmt.Fprintln(in)
	for range 1000 {
		p := mustFind(t, mustScan(t, s), pid)
		if p.Exec != before.Exec {
			if p.Exe == before.Exe || p.Start != before.Start {
				t.Errorf("before %+v, after %+v", before, p)
			}
			return
		}
		runtime.Gosched()
	}
	t.Error("an execve was not noticed")
}

// hidepid is a matter of the mount and of who asks.
func TestHidePID(t *testing.T) {
	testenv.NeedRoot(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []string{"0", "1", "2", "4"} {
		dir := t.TempDir()
		os.Chmod(filepath.Dir(dir), 0o755)
		os.Chmod(dir, 0o755)
		cmd := exec.CommandContext(t.Context(), self, dir, option)
		cmd.Env = append(os.Environ(), roleEnv+"=hidepid")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("hidepid=%s: %v\n%s", option, err, stderr.String())
			continue
		}
		want := map[string]string{
			"0": "off root: others seen; nobody: others seen",
			"1": "noaccess root: others seen; nobody: others denied",
			"2": "invisible root: others seen; nobody: others gone",
			"4": "ptraceable root: others seen; nobody: others gone",
		}[option]
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("hidepid=%s: %q, want %q", option, got, want)
		}
	}
}

// roleHidePID mounts a proc file system and prints what of its parent is seen, as root
// and as nobody.
func roleHidePID(args []string) error {
	dir, option := args[0], args[1]
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", dir, "proc", 0, "hidepid="+option); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	parent := int32(os.Getppid())
	look := func() (string, string, error) {
		s, err := open(Options{ProcFS: dir}, scan.Kernel{Landlock: scan.Enabled, ABI: 7}, func(*probe) (dialect, error) {
			return dialect{}, nil
		})
		if err != nil {
			return "", "", err
		}
		defer s.Close()
		hide, err := s.HidePID()
		if err != nil {
			return "", "", err
		}
		snap, err := s.Scan(context.Background())
		if err != nil {
			return "", "", err
		}
		if snap.Find(int32(os.Getpid())) == nil {
			return "", "", errors.New("this process is not there")
		}
		switch p := snap.Find(parent); {
		case p == nil:
			return hide, "gone", nil
		case p.State == scan.Unknown && p.Reason == scan.Denied && p.Comm.String() == "" && p.UID == 0:
			return hide, "denied", nil
		case p.State == scan.Unsandboxed && p.Comm.String() != "":
			return hide, "seen", nil
		default:
			return "", "", fmt.Errorf("%+v", p)
		}
	}
	hide, asRoot, err := look()
	if err != nil {
		return fmt.Errorf("as root: %w", err)
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
		return err
	}
	again, asNobody, err := look()
	if err != nil {
		return fmt.Errorf("as nobody: %w", err)
	}
	if hide != again {
		return fmt.Errorf("%q as root, %q as nobody", hide, again)
	}
	fmt.Printf("%s root: others %s; nobody: others %s\n", hide, asRoot, asNobody)
	return nil
}

// The inode numbers of a list of threads are those of the threads, and stay: a
// process that stands still is settled by the first try.
func TestListIsStable(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	s, err := withoutLandlock("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.reader
	for _, pid := range []int32{int32(cmd.Process.Pid), int32(os.Getpid())} {
		stable := 0
		for range 50 {
			if r.open(pid) != found {
				t.Fatalf("process %d: %v", pid, r.err)
			}
			first, o := r.list()
			first = append([]dirEntry(nil), first...)
			again, o2 := r.list()
			if o != found || o2 != found || len(first) == 0 || first[0].id != pid {
				t.Fatalf("process %d: %v, then %v", pid, first, again)
			}
			if slices.Equal(first, again) {
				stable++
			}
			r.close()
		}
		// This process may get a thread meanwhile.
		if stable < 45 {
			t.Errorf("process %d: only %d of 50 pairs of lists were equal", pid, stable)
		}
	}
	// One that had several threads needs no second try either.
	var st settler
	f := facts{several: true}
	if r.open(int32(cmd.Process.Pid)) != found {
		t.Fatal(r.err)
	}
	defer r.close()
	if got := st.settle(r, int32(cmd.Process.Pid), &f); got.verdict != unsandboxed || got.tries != 1 {
		t.Errorf("%+v", got)
	}
}
