// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

// checkSnapshot checks what every snapshot promises.
func checkSnapshot(t testing.TB, s *scan.Snapshot) {
	t.Helper()
	for i, d := range s.Domains {
		if d.ID == domainid.None {
			t.Errorf("domain %d has no ID", i)
		}
		switch {
		case int(d.Parent) >= i:
			t.Errorf("domain %d stands before its parent %d", i, d.Parent)
		case d.Parent < 0 && d.Depth != 1, d.Parent >= 0 && s.Domains[d.Parent].Depth+1 != d.Depth:
			t.Errorf("domain %d has depth %d and parent %d", i, d.Depth, d.Parent)
		}
	}
	next := int32(0)
	for i := range s.Processes {
		p := &s.Processes[i]
		if i > 0 && s.Processes[i-1].PID >= p.PID {
			t.Errorf("process %d stands behind %d", p.PID, s.Processes[i-1].PID)
		}
		if p.FirstTask != next || p.NumTasks < 1 {
			t.Errorf("process %d: tasks %d from %d, expected from %d", p.PID, p.NumTasks, p.FirstTask, next)
		}
		next += p.NumTasks
		in := 0
		for j, task := range s.TasksOf(p) {
			if j > 0 && s.TasksOf(p)[j-1].TID >= task.TID {
				t.Errorf("process %d: task %d stands behind %d", p.PID, task.TID, s.TasksOf(p)[j-1].TID)
			}
			if task.State == scan.Sandboxed {
				in++
			}
		}
		want := scan.Partial
		switch in {
		case 0:
			want = scan.Unsandboxed
		case int(p.NumTasks):
			want = scan.Sandboxed
		}
		if p.State != want && p.State != scan.Unknown {
			t.Errorf("process %d is %v, %d of its %d tasks are sandboxed", p.PID, p.State, in, p.NumTasks)
		}
		if (p.Reason != scan.NoReason) != (p.State == scan.Unknown) {
			t.Errorf("process %d is %v, reason %v", p.PID, p.State, p.Reason)
		}
	}
	if int(next) != len(s.Tasks) {
		t.Errorf("%d tasks, the processes have %d", len(s.Tasks), next)
	}
}

func TestScan(t *testing.T) {
	s := openSource(t, Options{})
	if s.Kernel().Landlock != scan.Enabled {
		t.Fatalf("this test needs Landlock, which is %v", s.Kernel().Landlock)
	}
	many := startActor(t, "many", "40", "7")
	free := startActor(t, "many", "3", "0")
	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer zombie.Wait()
	awaitZombie(t, zombie.Process.Pid)

	snap := mustScan(t, s)
	checkSnapshot(t, snap)
	for i, pid := range many.pids {
		p := mustFind(t, snap, pid)
		want := uint16(1 + i%7)
		if p.State != scan.Sandboxed || p.Depth != want || p.MaxDepth != want || p.PPID != many.pid || p.NoNewPrivs != scan.OfAll {
			t.Errorf("process %d (%d layers): %+v", pid, want, *p)
		}
		for depth, d := want, snap.TasksOf(p)[0].Domain; depth > 0; depth-- {
			layer := want - depth // from the innermost
			made := uint32(1) << (1 + (i*7+int(want-1-layer)*3)%12)
			if s.Kernel().ABI >= 2 {
				made |= 1 << 13 // refer is always handled
			}
			got := snap.Domains[d]
			if got.Depth != depth || got.Handled != (access.Rights{access.FS: made}) || got.Lineage != domainid.LineageKnown || got.Rules != 0 && depth == want {
				t.Errorf("process %d: domain at depth %d is %+v, its rights should be %#x", pid, depth, got, made)
			}
			if s.state.Layout.Details != absent && (got.Creator.PID != pid || got.Creator.Comm != "actor") {
				t.Errorf("process %d: creator %+v", pid, got.Creator)
			}
			d = got.Parent
		}
	}
	for _, pid := range append(free.pids, free.pid, many.pid, int32(os.Getpid())) {
		if p := mustFind(t, snap, pid); p.State != scan.Unsandboxed || p.Depth != 0 {
			t.Errorf("process %d, which is free: %+v", pid, *p)
		}
	}
	me := mustFind(t, snap, int32(os.Getpid()))
	if me.UID != uint32(os.Geteuid()) || int(me.PPID) != os.Getppid() || me.UserNS == 0 || me.MountNSOwner == 0 {
		t.Errorf("this process: %+v", *me)
	}
	if p := snap.Find(int32(zombie.Process.Pid)); p != nil {
		t.Errorf("a zombie is shown: %+v", *p)
	}
	if p := snap.Find(2); p != nil {
		t.Errorf("kthreadd is shown: %+v", *p)
	}
}

func awaitZombie(t testing.TB, pid int) {
	t.Helper()
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
}

// TestScanAllocations: in the steady state a scan allocates the same, however
// many processes there are, whether it repeats the last one or concludes anew.
func TestScanAllocations(t *testing.T) {
	s := openSource(t, Options{})
	// The least of some: others on this host may come and go, and each new process has a new path.
	allocations := func(anew bool) float64 {
		least := math.Inf(1)
		for n := range 25 {
			allocated := testing.AllocsPerRun(1, func() {
				if anew {
					s.last = nil
				}
				mustScan(t, s)
			})
			if n >= 5 { // new paths, larger buffers
				least = min(least, allocated)
			}
		}
		return least
	}
	both := func() [2]float64 { return [2]float64{allocations(false), allocations(true)} }
	startActor(t, "many", "50", "0")
	few := both()
	startActor(t, "many", "1000", "0")
	many := both()
	t.Logf("%v allocations beside 50 processes, %v beside 1050", few, many)
	for i := range few {
		if many[i] > few[i]+4 {
			t.Errorf("%v allocations beside 50 processes, %v beside 1050", few[i], many[i])
		}
	}
	// Each in a domain of its own: only what is of the domains may grow.
	startActor(t, "many", "300", "1")
	t.Logf("%v beside 300 domains more", both())
}

// TestScanSystemCalls: a scan is one bpf(2) and one close(2) for each pass, and
// as many read(2) as there are 32 KiB of records.
func TestScanSystemCalls(t *testing.T) {
	needPrivileges(t)
	if _, err := exec.LookPath("strace"); err != nil {
		if testing.Short() {
			t.Skip("needs strace")
		}
		t.Fatal("this test needs strace")
	}
	const scans = 5
	startActor(t, "many", "50", "0")
	for _, more := range []int{0, 1000} {
		if more > 0 {
			startActor(t, "many", strconv.Itoa(more), "0")
		}
		trace := filepath.Join(t.TempDir(), "trace")
		out := runRole(t, []string{"strace", "-f", "-o", trace}, "scan-marked", strconv.Itoa(scans))
		counts := countMarked(t, trace)
		if len(counts) != scans {
			t.Fatalf("%d scans were traced, expected %d", len(counts), scans)
		}
		lines := strings.Fields(out)
		for i, c := range counts {
			var tasks, passes int
			if _, err := fmt.Sscanf(lines[i], "%d,%d", &tasks, &passes); err != nil {
				t.Fatal(err)
			}
			// Records of the second and third pass are few. Paths that are
			// new and domains come on top of the tasks' records.
			most := passes*2 + (tasks*(int(unsafe.Sizeof(objectTaskRecord{})+unsafe.Sizeof(domainRecord{})))+64<<10)/(32<<10)
			if c["bpf"] != passes || c["close"] != passes || c["read"] > most {
				t.Errorf("scan of %d tasks in %d passes: %v; expected %d bpf, %d close, at most %d read", tasks, passes, c, passes, passes, most)
			}
			// Those that the runtime makes by itself.
			for _, name := range []string{
				"futex", "nanosleep", "clock_nanosleep", "madvise", "mmap", "munmap", "mprotect", "getpid", "gettid", "tgkill", "rt_sigreturn", "rt_sigprocmask",
				"sched_yield", "epoll_pwait", "clone", "clone3", "sigaltstack", "set_robust_list", "rseq", "restart_syscall", "prctl", "exit", "rt_sigaction", "clock_gettime",
				"bpf", "close", "read",
			} {
				delete(c, name)
			}
			// The runtime wakes its poller, however many tasks there are.
			if c["write"] <= 2 {
				delete(c, "write")
			}
			if len(c) > 0 {
				t.Errorf("other system calls during a scan: %v", c)
			}
		}
		t.Logf("%d processes more: %s", more, out)
	}
}

const marker = "/landlockd-test-marker"

// countMarked counts the system calls between each two markers of a trace.
func countMarked(t *testing.T, path string) []map[string]int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var counts []map[string]int
	var in map[string]int
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		_, call, ok := strings.Cut(sc.Text(), " ")
		if !ok {
			continue
		}
		call = strings.TrimLeft(call, " ")
		name, _, ok := strings.Cut(call, "(")
		switch {
		case strings.Contains(call, marker+"-begin"):
			in = map[string]int{}
		case strings.Contains(call, marker+"-end"):
			counts = append(counts, in)
			in = nil
		case in != nil && ok && !strings.ContainsAny(name, "<+- "):
			in[name]++
		}
	}
	return counts
}

// roleScanMarked scans, with a system call that does nothing before and behind
// each scan, and prints the number of tasks and passes.
func roleScanMarked(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := Open(Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	for i := range n + 3 {
		if i >= 3 {
			unix.Access(marker+"-begin", unix.F_OK)
		}
		snap, err := s.Scan(context.Background())
		if i >= 3 {
			unix.Access(marker+"-end", unix.F_OK)
		}
		if err != nil {
			return err
		}
		if i >= 3 {
			fmt.Printf("%d,%d ", snap.TasksRead, snap.Passes)
		}
	}
	return nil
}

// copyActor copies the actor to a path.
func copyActor(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(actorPath(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScanPaths(t *testing.T) {
	s := openSource(t, Options{})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	one, two := copyActor(t, filepath.Join(dir, "one")), copyActor(t, filepath.Join(dir, "two"))
	expect := func(a *actor, want string) {
		t.Helper()
		for range 2 { // returned, then remembered
			if p := mustFind(t, mustScan(t, s), a.pid); p.Exe != want {
				t.Errorf("process %d: path %.80q, want %.80q", a.pid, p.Exe, want)
			}
		}
	}
	a := startActorAt(t, one, "execs")
	expect(a, one)

	// Started, executed and gone between two scans changes nothing for others.
	a.send(two + "\n")
	a.awaitReady()
	expect(a, two)
	a.send(two + "\n") // the same program again
	a.awaitReady()
	expect(a, two)
	for _, p := range []string{one, two, one} { // several between two scans
		a.send(p + "\n")
		a.awaitReady()
	}
	expect(a, one)

	t.Run("deleted", func(t *testing.T) {
		gone := copyActor(t, filepath.Join(dir, "gone"))
		b := startActorAt(t, gone, "execs")
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
		expect(b, gone)
		if p := mustFind(t, mustScan(t, s), b.pid); !p.ExeDeleted {
			t.Error("not said to be deleted")
		}
		expect(a, one)
	})
	t.Run("called deleted", func(t *testing.T) {
		// Never seen before its file is gone, and the other way round.
		name := filepath.Join(dir, "real (deleted)")
		b := startActorAt(t, copyActor(t, name), "execs")
		expect(b, name)
		c := startActorAt(t, copyActor(t, name+" (deleted)"), "execs")
		if err := os.Remove(name + " (deleted)"); err != nil {
			t.Fatal(err)
		}
		expect(c, name+" (deleted)")
	})
	t.Run("failed scan", func(t *testing.T) {
		b := startActorAt(t, two, "execs")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if snap, err := s.Scan(ctx); !errors.Is(err, context.Canceled) || snap != nil {
			t.Fatalf("a cancelled scan: %v, %v", snap, err)
		}
		expect(a, one)
		expect(b, two)
	})
	t.Run("scan that failed after it read", func(t *testing.T) {
		b := startActorAt(t, two, "execs")
		// The program returned the paths, but no snapshot was made of them.
		if _, err := s.pass.run(s.reader(context.Background())); err != nil {
			t.Fatal(err)
		}
		expect(b, two)
		expect(a, one)
	})
	t.Run("odd bytes", func(t *testing.T) {
		for _, name := range []string{"new\nline", "\xff\xfe", "\x1b[31m", strings.Repeat("n", 255), " ", "\u202e"} {
			path := copyActor(t, filepath.Join(dir, name))
			expect(startActorAt(t, path, "many", "0", "0"), path)
		}
	})
	t.Run("long", func(t *testing.T) {
		long := dir
		for len(long) < 300 {
			long = filepath.Join(long, strings.Repeat("d", 40))
		}
		if err := os.MkdirAll(long, 0o700); err != nil {
			t.Fatal(err)
		}
		path := copyActor(t, filepath.Join(long, "actor"))
		expect(startActorAt(t, path, "many", "0", "0"), path)
	})
	t.Run("longest", func(t *testing.T) {
		for _, n := range []int{1023, 1024, 1025, 2000, 4095} {
			path := longPathOf(t, dir, n)
			expect(startActorAt(t, path, "many", "0", "0"), path)
		}
	})
	t.Run("longer", func(t *testing.T) {
		a := startTooLong(t, dir)
		p := mustFind(t, mustScan(t, s), a.pid)
		if p.Exe != "" || !p.ExeCut || p.ExeOrigin != scan.OfHost {
			t.Errorf("path %q, cut %v, of %v", p.Exe, p.ExeCut, p.ExeOrigin)
		}
	})
}

// startTooLong starts an actor whose path is longer than any system call takes.
func startTooLong(t *testing.T, dir string) *actor {
	t.Helper()
	at, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(at) })
	for range 21 {
		name := strings.Repeat("d", 200)
		if err := unix.Mkdirat(at, name, 0o700); err != nil {
			t.Fatal(err)
		}
		below, err := unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(at)
		at = below
	}
	here := fmt.Sprintf("/proc/self/fd/%d", at)
	return startActorAt(t, copyActor(t, here+"/actor"), "many", "0", "0")
}

// longPathOf copies the actor to a path of exactly n bytes.
func longPathOf(t *testing.T, dir string, n int) string {
	t.Helper()
	for n-len(dir) > 250 {
		dir = filepath.Join(dir, strings.Repeat("l", 200))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := copyActor(t, filepath.Join(dir, strings.Repeat("x", n-len(dir)-1)))
	if len(path) != n {
		t.Fatalf("made a path of %d bytes, not %d", len(path), n)
	}
	return path
}

// TestScanPathsOfEqualSets: processes whose PIDs are equal in the bits by which the program
// remembers whose path is known.
func TestScanPathsOfEqualSets(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "execs")
	mustScan(t, s)
	for others := range 3 * exeWays {
		// What another one would have left there.
		pid := a.pid + int32(others+1)*int32(exeSets)
		s.control.know(&scan.Process{PID: pid, Start: 2 * uint64(others+1)})
		if p := mustFind(t, mustScan(t, s), a.pid); p.Exe != actorPath(t) {
			t.Errorf("path %q", p.Exe)
		}
		sent := slices.ContainsFunc(s.pass.exes, func(e exeEntry) bool { return e.pid == a.pid })
		if is := others%exeWays == exeWays-1; sent != is {
			t.Errorf("behind %d others: the path was sent: %v, want %v", others+1, sent, is)
		}
	}
	// A wrong match costs the path of one scan.
	s.programs = programs{}
	mustScan(t, s)
	if p := mustFind(t, mustScan(t, s), a.pid); p.Exe != actorPath(t) {
		t.Errorf("after a wrong match: path %q", p.Exe)
	}
}

func TestHandoffAndResume(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "many", "5", "3")
	state, files, err := s.Handoff()
	if err != nil {
		t.Fatal(err)
	}
	var inherited []*os.File
	for _, f := range files {
		d, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			t.Fatal(err)
		}
		inherited = append(inherited, os.NewFile(uintptr(d), f.Name()))
	}
	first := mustScan(t, s)
	r, err := Resume(state, inherited)
	if err != nil {
		t.Fatal(err)
	}
	if r.Kernel() != s.Kernel() || r.Info() != s.Info() || r.CredentialsOffset() != s.CredentialsOffset() {
		t.Errorf("resumed with %+v, %+v, %d", r.Kernel(), r.Info(), r.CredentialsOffset())
	}
	second := mustScan(t, r)
	for _, pid := range a.pids {
		p, q := mustFind(t, first, pid), mustFind(t, second, pid)
		if p.State != q.State || p.Exe != q.Exe || q.Exe == "" || p.Depth != q.Depth ||
			first.Domains[first.TasksOf(p)[0].Domain].ID != second.Domains[second.TasksOf(q)[0].Domain].ID {
			t.Errorf("process %d: first %+v, resumed %+v", pid, *p, *q)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	// The files of the first stay its own.
	checkSnapshot(t, mustScan(t, s))

	for name, c := range map[string]struct {
		state string
		files []*os.File
	}{
		"no files": {string(state), nil}, "one file": {string(state), files[:1]}, "no rules": {string(state), files[:2]},
		"no state": {"", files}, "empty state": {"{}", files}, "broken state": {"[1]", files},
	} {
		if r, err := Resume([]byte(c.state), c.files); err == nil {
			t.Errorf("%s: resumed %+v", name, r)
		}
	}
}

func TestUnprivileged(t *testing.T) {
	s := openSource(t, Options{})
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(s.Kernel().Release, "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	if want := major > 5 || major == 5 && minor >= 19; s.Unprivileged() != want {
		t.Errorf("Linux %s: %v", s.Kernel().Release, !want)
	}
	// It was tried on a thread that is gone: this one still has its capabilities.
	if err := checkCapabilities(); err != nil {
		t.Error(err)
	}
}

func TestScanOneSandboxedThread(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "thread-only", "3")
	scanSettled(t, s, a.pid)
	onePass := 0
	for i := range 50 {
		snap := mustScan(t, s)
		p := mustFind(t, snap, a.pid)
		if p.State != scan.Partial || p.Depth != 0 || p.MaxDepth != 3 || p.NumTasks != 2 {
			t.Fatalf("scan %d: %+v", i, *p)
		}
		for _, task := range snap.TasksOf(p) {
			if want := task.TID == a.tid; (task.State == scan.Sandboxed) != want || (task.Domain >= 0) != want {
				t.Fatalf("scan %d: %+v", i, task)
			}
		}
		if snap.Passes == 1 {
			onePass++
		}
	}
	// What is known of it settles it; only others can cost another pass.
	t.Logf("%d of 50 scans were one pass", onePass)
	if onePass < 25 {
		t.Errorf("only %d of 50 scans were one pass", onePass)
	}
}

func TestScanDeadLeader(t *testing.T) {
	s := openSource(t, Options{})
	for layers, want := range []scan.State{scan.Unsandboxed, scan.Sandboxed} {
		a := startActor(t, "zombie-leader", strconv.Itoa(layers))
		snap, p := scanSettled(t, s, a.pid)
		if p.State != want || int(p.Depth) != layers || p.NumTasks != 1 || snap.TasksOf(p)[0].TID != a.tid {
			t.Errorf("%d layers: %+v, tasks %+v", layers, *p, snap.TasksOf(p))
		}
		if p.Exe != actorPath(t) {
			t.Errorf("%d layers: path %q", layers, p.Exe)
		}
		if p = mustFind(t, mustScan(t, s), a.pid); p.Exe != actorPath(t) || p.State != want {
			t.Errorf("%d layers, again: %+v", layers, *p)
		}
	}
}

func TestScanPIDNamespace(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "pid-namespace")
	snap, p := scanSettled(t, s, a.pids[0])
	for p.Depth < 2 { // it restricts itself while this looks
		snap, p = scanSettled(t, s, a.pids[0])
	}
	if p.State != scan.Sandboxed || p.PPID != a.pid || snap.TasksOf(p)[0].TID != a.pids[0] {
		t.Errorf("%+v, tasks %+v", *p, snap.TasksOf(p))
	}
	if d := snap.Domains[snap.TasksOf(p)[0].Domain]; s.state.Layout.Details != absent && d.Creator.PID != a.pids[0] {
		t.Errorf("creator %+v, want PID %d", d.Creator, a.pids[0])
	}
	if s.Info().PIDNS != "init" {
		t.Errorf("PID namespace %q: run the tests in the initial one", s.Info().PIDNS)
	}
}

// TestScanWithoutLandlock: a kernel on which it is not enabled. All that the
// kernel would answer otherwise is put in its place.
func TestScanWithoutLandlock(t *testing.T) {
	needPrivileges(t)
	types, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := landlock.Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	a := startActor(t, "many", "3", "2")
	b := startActor(t, "thread-only", "1")
	for _, derive := range []bool{false, true} {
		k := kernel
		k.Landlock, k.ABI = scan.Disabled, 0
		s, err := (&opener{types: types, kernel: k, derive: derive}).open()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		snap := mustScan(t, s)
		checkSnapshot(t, snap)
		if len(snap.Domains) != 0 || s.CredentialsOffset() != -1 {
			t.Errorf("%d domains, offset %d", len(snap.Domains), s.CredentialsOffset())
		}
		if i := s.Info(); i.IDs != "none" || i.Lineage != "none" || i.Denials != "none" || i.Rules != "none" {
			t.Errorf("info %+v", i)
		}
		for _, p := range snap.Processes {
			if p.State != scan.Unsandboxed {
				t.Errorf("process %d is %v", p.PID, p.State)
			}
		}
		if p := mustFind(t, snap, a.pids[0]); p.Exe != actorPath(t) {
			t.Errorf("path %q", p.Exe)
		}
		mustFind(t, snap, b.pid)
	}
	// There is no Landlock in the kernel, but its types are there: what answers
	// ENOSYS is not the kernel.
	k := kernel
	k.Landlock, k.ABI = scan.NotBuilt, 0
	_, err = (&opener{types: types, kernel: k}).open()
	if e := (*scan.Error)(nil); !errors.As(err, &e) || e.Reason != Refused {
		t.Errorf("ENOSYS where Landlock is built: %v", err)
	}
}

func TestScanDerivedIDs(t *testing.T) {
	kernel, derived := openSource(t, Options{}), openSource(t, Options{DeriveIDs: true})
	if derived.Info().IDs != "derived" {
		t.Fatalf("IDs are %q", derived.Info().IDs)
	}
	// Processes that share domains (clones of one that is sandboxed) and that
	// do not.
	a, b := startActor(t, "many", "30", "7"), startActor(t, "thread-only", "3")
	shared := startActor(t, "run", "2", actorPath(t), "many", "10", "0")
	pids := slices.Concat(a.pids, shared.pids, []int32{shared.pid, b.pid})
	scanSettled(t, kernel, b.pid)
	scanSettled(t, derived, b.pid)

	var before map[[2]int32]domainid.ID
	for range 5 {
		ks, ds := mustScan(t, kernel), mustScan(t, derived)
		checkSnapshot(t, ds)
		kids := map[domainid.ID]bool{}
		for _, d := range ks.Domains {
			kids[d.ID] = true
		}
		for _, d := range ds.Domains {
			if uint64(d.ID) >= 0xffff800000000000 && uint64(d.ID)%8 == 0 && uint64(d.ID)>>47 == 0x1ffff {
				t.Errorf("ID %v looks like a kernel address", d.ID)
			}
			if kids[d.ID] {
				t.Errorf("ID %v is a kernel's", d.ID)
			}
		}
		same := map[domainid.ID]domainid.ID{} // derived by kernel's
		back := map[domainid.ID]domainid.ID{}
		now := map[[2]int32]domainid.ID{}
		for _, pid := range pids {
			kp, dp := mustFind(t, ks, pid), mustFind(t, ds, pid)
			if kp.State != dp.State || kp.Depth != dp.Depth || kp.NumTasks != dp.NumTasks {
				t.Errorf("process %d: %+v, derived %+v", pid, *kp, *dp)
				continue
			}
			for i, kt := range ks.TasksOf(kp) {
				dt := ds.TasksOf(dp)[i]
				for kd, dd := kt.Domain, dt.Domain; kd >= 0 && dd >= 0; kd, dd = ks.Domains[kd].Parent, ds.Domains[dd].Parent {
					k, d := ks.Domains[kd].ID, ds.Domains[dd].ID
					if o, ok := same[k]; ok && o != d {
						t.Errorf("domain %v has derived IDs %v and %v", k, o, d)
					}
					if o, ok := back[d]; ok && o != k {
						t.Errorf("derived ID %v is of %v and %v", d, o, k)
					}
					same[k], back[d] = d, k
					now[[2]int32{kt.TID, int32(ks.Domains[kd].Depth)}] = d
				}
			}
		}
		for where, id := range before {
			if now[where] != id {
				t.Errorf("task %d, depth %d: ID %v, then %v", where[0], where[1], id, now[where])
			}
		}
		before = now
	}
	if n := len(before); n < 30*4+2*len(shared.pids) {
		t.Errorf("only %d domains of tasks were compared", n)
	}
}
