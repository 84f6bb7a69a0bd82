// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	osthread "github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/testenv"
)

const idA, idB, idC = "1e67bda0b\n", "1e67bda1c\n", "1e67bda2d\n"

func TestScanStates(t *testing.T) {
	tr := newTree(t)
	tr.put(fakeTask{pid: 2, flags: pfKthread, attr: "none\n"})
	tr.put(fakeTask{pid: 10, attr: "none\n"})
	tr.put(fakeTask{pid: 11, attr: idA})
	tr.put(fakeTask{pid: 12, state: 'Z', attr: "none\n"})
	tr.put(fakeTask{pid: 20, attr: idA, threads: map[int]string{21: idA, 22: idA}})
	tr.put(fakeTask{pid: 30, attr: "none\n", threads: map[int]string{31: idB, 32: "none\n"}})
	tr.put(fakeTask{pid: 40, attr: "none\n", threads: map[int]string{41: "none\n"}})
	tr.put(fakeTask{pid: 50, attr: idA, threads: map[int]string{51: "none\n"}, threadFlags: map[int]uint32{51: pfIOWorker}})
	tr.put(fakeTask{pid: 60, attr: "none\n", threads: map[int]string{61: "zzz"}})
	tr.put(fakeTask{pid: 70, attr: idA, threads: map[int]string{71: idB}})
	tr.put(fakeTask{pid: 80, attr: "-"})
	tr.put(fakeTask{pid: 90, attr: "--"})
	tr.put(fakeTask{pid: 95, attr: "none\n", threads: map[int]string{96: "none\n"}, countThreads: 3})
	tr.put(fakeTask{pid: 97, attr: "none\n", threads: map[int]string{98: idA}, deadThreads: map[int]bool{98: true}})
	s := tr.open(hexID, false)
	snap := mustScan(t, s)
	for _, c := range []struct {
		pid    int32
		state  scan.State
		reason scan.Reason
		tasks  int32
	}{
		{10, scan.Unsandboxed, scan.NoReason, 1},
		{11, scan.Sandboxed, scan.NoReason, 1},
		{20, scan.Sandboxed, scan.NoReason, 3},
		{30, scan.Partial, scan.NoReason, 3},
		{40, scan.Unsandboxed, scan.NoReason, 2},
		{50, scan.Sandboxed, scan.NoReason, 1},
		{60, scan.Unknown, scan.Malformed, 2},
		{70, scan.Sandboxed, scan.NoReason, 2},
		{80, scan.Unknown, scan.Hidden, 1},
		{90, scan.Unknown, scan.Hidden, 1},
		{95, scan.Unknown, scan.Changing, 2},
		{97, scan.Unsandboxed, scan.NoReason, 1},
	} {
		if c.pid == 90 {
			// Without the directory the task counts as gone.
			if snap.Find(90) != nil {
				t.Error("a process without the directory is there")
			}
			continue
		}
		p := mustFind(t, snap, c.pid)
		if p.State != c.state || p.Reason != c.reason || p.NumTasks != c.tasks {
			t.Errorf("process %d: %v (%v), %d tasks; want %v (%v), %d", c.pid, p.State, p.Reason, p.NumTasks, c.state, c.reason, c.tasks)
		}
	}
	if snap.Find(2) != nil || snap.Find(12) != nil {
		t.Error("a kernel thread or a zombie is there")
	}
	if len(snap.Domains) != 2 {
		t.Errorf("domains: %+v", snap.Domains)
	}
}

// What one process does over several scans, and one with its PID.
func TestScanLineage(t *testing.T) {
	tr := newTree(t)
	s := tr.open(hexID, false)
	for _, text := range []string{idA, idB, idC} {
		tr.put(fakeTask{pid: 10, attr: text})
		mustScan(t, s)
	}
	tr.put(fakeTask{pid: 11, attr: idA})
	snap := mustScan(t, s)
	p := mustFind(t, snap, 10)
	if p.Depth != 3 || len(snap.Domains) != 3 {
		t.Fatalf("depth %d, domains %+v", p.Depth, snap.Domains)
	}
	d := snap.Domains[snap.TasksOf(p)[0].Domain]
	if d.ID.String()+"\n" != idC || d.Lineage != domainid.LineageInferred || snap.Domains[d.Parent].ID.String()+"\n" != idB {
		t.Errorf("domain %+v of %+v", d, snap.Domains)
	}
	if d := mustFind(t, snap, 11).Depth; d != 1 {
		t.Errorf("depth %d of a process in the outermost one", d)
	}
	// The same PID, another process.
	tr.put(fakeTask{pid: 10, start: 77, attr: "2222222222\n"})
	snap = mustScan(t, s)
	if p := mustFind(t, snap, 10); p.Depth != 1 || p.Start != 77*uint64(scan.StatTick) || len(snap.Domains) != 2 {
		t.Errorf("a new process: %+v, domains %+v", p, snap.Domains)
	}
	if s.inference.Conflicts() != 0 {
		t.Errorf("%d conflicts", s.inference.Conflicts())
	}
}

// formCase is what a form shows of tasks outside, inside, and inside of another domain, and
// what a scan makes of that.
type formCase struct {
	form          *form
	absent        bool
	out, in, in2  string
	ids, lineage  string
	depth, depth2 uint16
	domains       int
}

func TestScanForms(t *testing.T) {
	cases := []formCase{
		{landlocked, false, "landlocked:0", "landlocked:1", "landlocked:1", "none", "none", 1, 1, 0},
		{empty, false, "none", "", "", "none", "none", 1, 1, 0},
		{presence, true, "-", "", "x", "none", "none", 1, 1, 0},
		{words, false, "unrestricted\n", "restricted\n", "restricted\x00", "none", "none", 1, 1, 0},
		{hexID, false, "none", "0x1e67bda0b", "1e67bda0c", "kernel", "inferred", 1, 1, 2},
		{versioned, false, "none", "123.0", "123.1", "kernel", "none", 1, 1, 2},
		{counted, false, "0", "2", "16\n", "none", "known", 2, 16, 0},
	}
	for _, f := range forms {
		if !slices.ContainsFunc(cases, func(c formCase) bool { return c.form == f }) {
			t.Errorf("%q is tried by no case: add one, and texts of it to TestParse and attributes", f.name)
		}
	}
	for _, c := range cases {
		t.Run(c.form.name, func(t *testing.T) {
			tr := newTree(t)
			tr.put(fakeTask{pid: 5, attr: c.out})
			tr.put(fakeTask{pid: 6, attr: c.in})
			tr.put(fakeTask{pid: 7, attr: c.in2})
			s := tr.open(c.form, c.absent)
			snap := mustScan(t, s)
			if p := mustFind(t, snap, 5); p.State != scan.Unsandboxed || p.Depth != 0 {
				t.Errorf("%+v", p)
			}
			if p := mustFind(t, snap, 6); p.State != scan.Sandboxed || p.Depth != c.depth {
				t.Errorf("%+v", p)
			}
			if p := mustFind(t, snap, 7); p.State != scan.Sandboxed || p.Depth != c.depth2 {
				t.Errorf("%+v", p)
			}
			if snap.Source.IDs != c.ids || snap.Source.Lineage != c.lineage || len(snap.Domains) != c.domains {
				t.Errorf("%+v, %d domains", snap.Source, len(snap.Domains))
			}
		})
	}
}

func TestScanIdentity(t *testing.T) {
	tr := newTree(t)
	task := fakeTask{
		pid: 10, ppid: 3, comm: "a) R (b\nc", start: 4711, stack: 9, attr: "none\n", exe: "/usr/bin/x",
		cgroup: "4:memory:/m\n0::/../outside\n",
	}
	tr.put(task)
	s := tr.open(hexID, false)
	p := mustFind(t, mustScan(t, s), 10)
	if p.PPID != 3 || p.Comm.String() != "a) R (b\nc" || p.Start != 4711*uint64(scan.StatTick) || p.Exe != "/usr/bin/x" ||
		p.NoNewPrivs != scan.OfAll || p.Seccomp != scan.OfAll || p.UID != uint32(os.Getuid()) || p.Exec != 0 {
		t.Errorf("%+v", p)
	}
	// A file that is deleted keeps its path; another program does not.
	task.exe = "/usr/bin/x (deleted)"
	tr.put(task)
	for range 4 {
		mustScan(t, s)
	}
	if p := mustFind(t, mustScan(t, s), 10); p.Exe != "/usr/bin/x" || p.Exec != 0 {
		t.Errorf("%+v", p)
	}
	task.exe, task.stack = "/usr/bin/y", 10
	tr.put(task)
	if p := mustFind(t, mustScan(t, s), 10); p.Exe != "/usr/bin/y" || p.Exec != 1 {
		t.Errorf("after an execve: %+v", p)
	}
	// Without any sign of it, a change is noticed in time.
	task.status = statusText(os.Getuid(), 0, 0)
	tr.put(task)
	for range 2 * maxInterval {
		p = mustFind(t, mustScan(t, s), 10)
	}
	if p.NoNewPrivs != scan.OfNone || p.Seccomp != scan.OfNone {
		t.Errorf("%+v", p)
	}
	tr.remove(10)
	if snap := mustScan(t, s); len(snap.Processes) != 0 || len(s.processes) != 0 {
		t.Errorf("%d processes, %d kept", len(snap.Processes), len(s.processes))
	}
}

// What cannot be read is unknown, and never unsandboxed.
func TestScanHostileTree(t *testing.T) {
	tr := newTree(t)
	for i, name := range []string{"00012", "-5", "12x", "4294967297", "0"} {
		tr.write("", name, fmt.Sprint(i))
	}
	tr.put(fakeTask{pid: 10, attr: "none\n"})
	attr := filepath.Join(tr.dir, "10", "attr", "landlock", "domain")
	os.Remove(attr)
	if err := unix.Mkfifo(attr, 0o644); err != nil {
		t.Fatal(err)
	}
	tr.put(fakeTask{pid: 11, attr: strings.Repeat("f", 4096)})
	tr.put(fakeTask{pid: 12, attr: "none\n"})
	s := tr.open(hexID, false)
	snap := mustScan(t, s)
	for _, pid := range []int32{10, 11} {
		if p := mustFind(t, snap, pid); p.State != scan.Unknown || p.Reason != scan.Malformed {
			t.Errorf("process %d: %v (%v)", pid, p.State, p.Reason)
		}
	}
	if len(snap.Processes) != 3 {
		t.Errorf("%d processes", len(snap.Processes))
	}
	// A read that shows nothing of a task ends the scan.
	tr.write("nonsense", "12", "stat")
	var e *scan.Error
	if _, err := s.Scan(context.Background()); !errors.As(err, &e) || e.Reason != Read || scan.FailureReason(err) != "read" {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Scan(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestScanWithoutLandlock(t *testing.T) {
	tr := newTree(t)
	tr.put(fakeTask{pid: 10, attr: "--"})
	tr.put(fakeTask{pid: 20, attr: "--", threads: map[int]string{21: "--"}, countThreads: 7})
	kernel := scan.Kernel{Release: "x", Landlock: scan.Disabled}
	s, err := open(Options{ProcFS: tr.dir}, kernel, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	snap := mustScan(t, s)
	for _, pid := range []int32{10, 20} {
		if p := mustFind(t, snap, pid); p.State != scan.Unsandboxed {
			t.Errorf("%+v", p)
		}
	}
	if snap.Source.IDs != "none" || s.Form() != "none" || s.File() != "" {
		t.Errorf("%+v", snap.Source)
	}
}

// What this process may not read is unknown, reason denied.
func TestScanDenied(t *testing.T) {
	testenv.NeedRoot(t)
	tr := newTree(t)
	for p := tr.dir; p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		os.Chmod(p, 0o755)
	}
	for pid := range 4 {
		tr.put(fakeTask{pid: 10 + pid, attr: idA, threads: map[int]string{20 + pid: idA}})
	}
	tr.put(fakeTask{pid: 14, attr: idA})
	for _, p := range []string{"10/task/20/attr/landlock/domain", "11/task/11/attr/landlock", "12/task", "13/stat", "14/attr/landlock/domain"} {
		if err := os.Chmod(filepath.Join(tr.dir, p), 0); err != nil {
			t.Fatal(err)
		}
	}
	s := tr.open(hexID, false)
	var snap *scan.Snapshot
	var err error
	osthread.Run(func() {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			err = errno
			return
		}
		snap, err = s.Scan(context.Background())
	})()
	if err != nil {
		t.Fatal(err)
	}
	for pid := int32(10); pid <= 14; pid++ {
		if p := mustFind(t, snap, pid); p.State != scan.Unknown || p.Reason != scan.Denied || p.NumTasks < 1 {
			t.Errorf("%+v", p)
		}
	}
	for pid := int32(10); pid <= 14; pid++ {
		if p := mustFind(t, mustScan(t, s), pid); p.State != scan.Sandboxed {
			t.Errorf("as root: %+v", p)
		}
	}
}

// Allocations do not grow with the number of processes that stay as they are.
func TestScanAllocations(t *testing.T) {
	perScan := func(n int) float64 {
		tr := newTree(t)
		for i := range n / 5 {
			tr.put(fakeTask{pid: 20000 + i, flags: pfKthread, attr: "none\n"})
		}
		for i := range n {
			pid := 100 + 10*i
			f := fakeTask{pid: pid, attr: fmt.Sprintf("%x\n", uint64(1<<33)+uint64(i%7)), exe: fmt.Sprint("/bin/", i)}
			if i%10 == 0 {
				f.threads = map[int]string{pid + 1: "none\n", pid + 2: f.attr}
			}
			tr.put(f)
		}
		s := tr.open(hexID, false)
		for range 3 {
			mustScan(t, s)
		}
		return testing.AllocsPerRun(20, func() { mustScan(t, s) })
	}
	few, many := perScan(100), perScan(1000)
	t.Logf("allocations of a scan: %v for 100 processes, %v for 1000", few, many)
	if many > few+4 {
		t.Errorf("%v allocations for 1000 processes, %v for 100", many, few)
	}
}

// TestScanIdentityDeadLeader: the kernel shows nothing of a leader that has exited; its
// process is what its threads are.
func TestScanIdentityDeadLeader(t *testing.T) {
	tr := newTree(t)
	task := fakeTask{
		pid: 10, start: 5, stack: 9, attr: "none\n", exe: "/usr/bin/x", threads: map[int]string{11: "none\n"},
	}
	tr.put(task)
	if err := os.Symlink("/usr/bin/x", filepath.Join(tr.dir, "10/task/11/exe")); err != nil {
		t.Fatal(err)
	}
	s := tr.open(hexID, false)
	mustScan(t, s)

	die := func() {
		tr.put(fakeTask{pid: 10, start: 5, state: 'Z', attr: "none\n", threads: task.threads,
			status: statusText(os.Getuid(), 0, 0), threadStatus: map[int]string{11: statusText(os.Getuid(), 1, 2)}})
		tr.write(statLine(11, 0, "x", 'S', 0, 2, 6, 0), "10", "task", "11", "stat")
	}
	die()
	for n := range 2 * maxInterval {
		if p := mustFind(t, mustScan(t, s), 10); p.Exe != "/usr/bin/x" || p.Exec != 0 || p.NoNewPrivs != scan.OfAll || p.Seccomp != scan.OfAll || p.NumTasks != 1 {
			t.Fatalf("scan %d: %+v", n, p)
		}
	}
	// One that was never seen with its leader alive.
	if p := mustFind(t, mustScan(t, tr.open(hexID, false)), 10); p.Exe != "/usr/bin/x" || p.Seccomp != scan.OfAll || p.NoNewPrivs != scan.OfAll {
		t.Errorf("found with a dead leader: %+v", p)
	}
}
