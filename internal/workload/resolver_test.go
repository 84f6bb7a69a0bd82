// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/scan"
)

// tree is a directory that stands for a cgroup hierarchy: inode numbers are IDs in
// both, and directories count their links alike.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T, paths ...string) tree {
	t.Helper()
	tr := tree{t, t.TempDir()}
	for _, p := range paths {
		tr.make(p)
	}
	return tr
}

func (tr tree) make(path string) uint64 {
	tr.t.Helper()
	if err := os.MkdirAll(filepath.Join(tr.dir, path), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	return tr.id(path)
}

func (tr tree) id(path string) uint64 {
	tr.t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(tr.dir, path), &st); err != nil {
		tr.t.Fatal(err)
	}
	return st.Ino
}

// bench is a resolver with a clock that stands still until it is moved.
type bench struct {
	*Resolver
	now  time.Time
	logs string
}

func newBench(t *testing.T, v2, v1 *tree) *bench {
	t.Helper()
	b := &bench{now: time.Unix(1_750_000_000, 0), logs: filepath.Join(t.TempDir(), "containers")}
	if err := os.Mkdir(b.logs, 0o755); err != nil {
		t.Fatal(err)
	}
	var host cgroupfs.Host
	if v2 != nil {
		host.V2 = v2.dir
	}
	if v1 != nil {
		host.V1.Dir = v1.dir
	}
	b.Resolver = newResolver(Options{
		Logs: b.logs, PodLogs: filepath.Join(filepath.Dir(b.logs), "pods"),
	}, host)
	if (b.v2.root >= 0) != (v2 != nil) || (b.v1.root >= 0) != (v1 != nil) {
		t.Fatal("a hierarchy is not open")
	}
	b.v2.part, b.v1.part = false, false
	b.clock = func() time.Time { return b.now }
	t.Cleanup(b.Close)
	return b
}

// snapshot has a process in each v2 cgroup that is given, with an executable.
func snapshot(processes ...scan.Process) *scan.Snapshot {
	s := &scan.Snapshot{Processes: slices.Clone(processes), Source: scan.SourceInfo{PIDNS: "init"}}
	for i := range s.Processes {
		s.Processes[i].PID = int32(i + 1)
	}
	return s
}

func in(id uint64, exe string) scan.Process { return scan.Process{CgroupID: id, Exe: exe} }

// sameWhenGone checks that a process that ended is named as it was, by the paths of its cgroups.
func (b *bench) sameWhenGone(t *testing.T, p *scan.Process, was *scan.Workload) {
	t.Helper()
	path := func(in *cgroups, id uint64) string {
		if c := in.byID[id]; c != nil {
			return c.facts.Cgroup
		}
		return ""
	}
	got, want := b.Of(p, path(&b.v2, p.CgroupID), path(&b.v1, p.CgroupV1ID)), *was
	if of := want.Container; of != nil && isID(of.ID) {
		if of.Name != "" { // the path does not show it
			got.Name, got.FullName = want.Name, want.FullName
		}
		got.Container, want.Container = nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("gone it is %+v, was %+v", got, want)
	}
}

// names are those of the processes in their order.
func (b *bench) names(t *testing.T, s *scan.Snapshot) []string {
	t.Helper()
	b.Assign(s)
	var names []string
	used := make([]bool, len(s.Workloads))
	for i := range s.Processes {
		w := s.WorkloadOf(&s.Processes[i])
		if w == nil {
			t.Fatalf("process %d is part of no workload", i)
		}
		b.sameWhenGone(t, &s.Processes[i], w)
		used[s.Processes[i].Workload] = true
		names = append(names, w.Name)
	}
	if slices.Contains(used, false) {
		t.Fatalf("a workload has no process: %+v", s.Workloads)
	}
	if !slices.IsSortedFunc(s.Workloads, func(a, b scan.Workload) int { return strings.Compare(a.Name, b.Name) }) {
		t.Fatalf("not in order: %+v", s.Workloads)
	}
	return names
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAssign(t *testing.T) {
	tr := newTree(t)
	ssh := tr.make("system.slice/ssh.service")
	getty := []uint64{tr.make("system.slice/system-getty.slice/getty@tty1.service"), tr.make("system.slice/system-getty.slice/getty@tty2.service")}
	container := tr.make("docker/" + id + "/sub")
	b := newBench(t, &tr, nil)
	s := snapshot(in(ssh, "/usr/sbin/sshd"), in(ssh, "/bin/bash"), in(getty[0], "/sbin/agetty"), in(getty[1], "/sbin/agetty"),
		in(rootID, "/usr/bin/a"), in(rootID, "/opt/a"), in(rootID, ""), in(container, "/a"), in(container, "/b"), in(container, "/c/a"))
	expect(t, b.names(t, s), "ssh.service", "ssh.service", "getty@.service", "getty@.service", "a", "a", "exe:unreadable", "container:a", "container:b", "container:a")
	if len(s.Workloads) != 7 {
		t.Errorf("%d workloads: %+v", len(s.Workloads), s.Workloads)
	}
	w := s.WorkloadOf(&s.Processes[3])
	if *w != (scan.Workload{Name: "getty@.service", FullName: "getty@tty2.service", Kind: scan.Unit, Cgroup: "/system.slice/system-getty.slice/getty@tty2.service",
		Unit: "getty@tty2.service", Slice: "system-getty.slice"}) {
		t.Errorf("%+v", *w)
	}
	if w := s.WorkloadOf(&s.Processes[4]); w.Kind != scan.Executable || w.Cgroup != "/" {
		t.Errorf("%+v", *w)
	}
}

// A name that is made up for each start is folded, too.
func TestFoldsExecutables(t *testing.T) {
	tr := newTree(t)
	b := newBench(t, &tr, nil)
	s := snapshot(in(rootID, "/memfd:sealed-91173221a7ea"), in(rootID, "/bin/"+id))
	expect(t, b.names(t, s), "memfd:sealed-*", "*")
	if w := s.WorkloadOf(&s.Processes[0]); w.FullName != "memfd:sealed-91173221a7ea" {
		t.Errorf("%+v", *w)
	}
}

func TestNoFold(t *testing.T) {
	tr := newTree(t)
	getty := tr.make("getty@tty1.service")
	b := newBench(t, &tr, nil)
	b.table.fold = false
	expect(t, b.names(t, snapshot(in(getty, "/x"))), "getty@tty1.service")
}

// Cgroups come and go between scans.
func TestAssignFollows(t *testing.T) {
	tr := newTree(t)
	a := tr.make("a.service")
	b := newBench(t, &tr, nil)
	expect(t, b.names(t, snapshot(in(a, "/x"))), "a.service")
	late := tr.make("late.service/deep")
	first := snapshot(in(a, "/x"), in(late, "/y"))
	expect(t, b.names(t, first), "a.service", "late.service")
	before := slices.Clone(first.Workloads)
	// A path that was found is not looked for again.
	if err := os.Remove(filepath.Join(tr.dir, "late.service/deep")); err != nil {
		t.Fatal(err)
	}
	expect(t, b.names(t, snapshot(in(late, "/y"))), "late.service")
	expect(t, b.names(t, snapshot()))
	expect(t, b.names(t, snapshot(in(a, "/x"))), "a.service")
	if !slices.Equal(first.Workloads, before) {
		t.Error("a snapshot was changed after it was returned")
	}
}

func TestUnresolved(t *testing.T) {
	tr := newTree(t, "a.service")
	b := newBench(t, &tr, nil)
	gone := tr.make("gone.service")
	if err := os.Remove(filepath.Join(tr.dir, "gone.service")); err != nil {
		t.Fatal(err)
	}
	s := snapshot(in(gone, "/bin/x"), in(gone, "/bin/y"), scan.Process{Exe: "/bin/z"})
	expect(t, b.names(t, s), "x", "y", "z")
	for i := range s.Workloads {
		if w := &s.Workloads[i]; w.Cgroup != "" || w.Kind != scan.Executable || w.Unit != "" {
			t.Errorf("%+v", *w)
		}
	}
	// It is looked for again, but not at once.
	walks := b.nextWalk
	if b.names(t, snapshot(in(gone, "/bin/x"))); !b.nextWalk.Equal(walks) {
		t.Error("looked again at once")
	}
	b.now = b.now.Add(retryMissing)
	if b.names(t, snapshot(in(gone, "/bin/x"))); b.nextWalk.Equal(walks) {
		t.Error("never looked again")
	}
}

// Walks take no more than their share of the time, however many cgroups appear.
func TestWalksArePaced(t *testing.T) {
	tr := newTree(t)
	b := newBench(t, &tr, nil)
	b.clock = func() time.Time { b.now = b.now.Add(time.Millisecond); return b.now }
	began, walks, last := b.now, 0, b.nextWalk
	for i := range 400 {
		id := tr.make(fmt.Sprintf("x%d.service", i))
		b.Assign(snapshot(in(id, "/x")))
		if !b.nextWalk.Equal(last) {
			walks, last = walks+1, b.nextWalk
		}
		b.now = b.now.Add(time.Millisecond)
	}
	if took := time.Duration(walks) * time.Millisecond; walks < 5 || took > b.now.Sub(began)/(dutyCycle-5) {
		t.Errorf("%d walks of 1 ms in %v", walks, b.now.Sub(began))
	}
	// What was not looked for in time is found later.
	id := tr.make("late.service")
	b.names(t, snapshot(in(id, "/x")))
	b.now = b.now.Add(time.Minute)
	expect(t, b.names(t, snapshot(in(id, "/x"))), "late.service")
}

// Whoever makes many cgroups below his own unit does not keep others from being
// found soon.
func TestUnitsAreFoundBeforeWhatIsBelow(t *testing.T) {
	tr := newTree(t)
	b := newBench(t, &tr, nil)
	mine := tr.make("user.slice/user-7.slice/user@7.service/app.slice/mine.service/x")
	expect(t, b.names(t, snapshot(in(mine, "/x"))), "user@/mine.service")
	b.nextDeep = b.now.Add(time.Hour) // as after a step that took a minute
	other := tr.make("user.slice/user-7.slice/user@7.service/app.slice/other.service")
	container := tr.make("docker/" + id)
	inside := tr.make("docker/" + id2 + "/a.slice/b")
	unit := tr.make("system.slice/new.service")
	ofK3s := tr.make("system.slice/k3s.service/kubepods/pod" + pod + "/" + id)
	forged := tr.make("user.slice/user-7.slice/user@7.service/k3s.service/docker/" + id)
	s := func() *scan.Snapshot {
		return snapshot(in(other, "/o"), in(container, "/c"), in(inside, "/i"), in(unit, "/u"),
			in(ofK3s, "/k"), in(forged, "/f"))
	}
	expect(t, b.names(t, s()), "o", "container:c", "i", "new.service", "container:k", "f")
	b.now = b.now.Add(time.Hour)
	expect(t, b.names(t, s()), "user@/other.service", "container:c", "container:i", "new.service",
		"container:k", "user@/k3s.service")
}

func TestHybrid(t *testing.T) {
	v2, v1 := newTree(t), newTree(t)
	unit2, unit1 := v2.make("system.slice/a.service"), v1.make("system.slice/a.service")
	daemon2, container1 := v2.make("system.slice/containerd.service"), v1.make("docker/"+id)
	b := newBench(t, &v2, &v1)
	p := func(v2, v1 uint64) scan.Process {
		return scan.Process{CgroupID: v2, CgroupV1ID: v1, Exe: "/bin/x"}
	}
	expect(t, b.names(t, snapshot(p(unit2, unit1), p(daemon2, container1), p(unit2, rootID), p(rootID, unit1), p(rootID, rootID), p(unit2, 0), p(rootID, 0), p(unit2, 999_999_999))),
		"a.service", "container:x", "a.service", "a.service", "x", "a.service", "x", "a.service")
	// In a v1 hierarchy a cgroup can be renamed, and keeps its ID.
	if err := os.Rename(filepath.Join(v1.dir, "system.slice/a.service"), filepath.Join(v1.dir, "system.slice/b.service")); err != nil {
		t.Fatal(err)
	}
	expect(t, b.names(t, snapshot(p(rootID, unit1))), "a.service")
	b.now = b.now.Add(renewV1)
	expect(t, b.names(t, snapshot(p(rootID, unit1))), "b.service")
}

// Where a v1 hierarchy names processes, and it cannot be read or the source has no ID
// of it, a process at the root of v2 may be in any container.
func TestLegacy(t *testing.T) {
	v2, v1 := newTree(t), newTree(t)
	container, openrc := v1.make("docker/"+id), v2.make("openrc.docker")
	p := func(v2, v1 uint64) scan.Process {
		return scan.Process{CgroupID: v2, CgroupV1ID: v1, Exe: "/bin/x"}
	}
	all := func() *scan.Snapshot {
		return snapshot(p(rootID, container), p(openrc, container), p(rootID, rootID), p(rootID, 0),
			p(openrc, rootID))
	}
	for _, c := range []struct {
		v1      *tree
		names   []string
		cgroups []string
		limits  bool
	}{
		{&v1, []string{"container:x", "container:x", "x", "x", "x"},
			[]string{"/docker/" + id, "/docker/" + id, "/", "", "/openrc.docker"}, false},
		{nil, []string{"x", "x", "x", "x", "x"},
			[]string{"", "/openrc.docker", "/", "", "/openrc.docker"}, true},
	} {
		b := newBench(t, &v2, c.v1)
		b.legacy = true
		s := all()
		expect(t, b.names(t, s), c.names...)
		for i, want := range c.cgroups {
			if got := s.WorkloadOf(&s.Processes[i]).Cgroup; got != want {
				t.Errorf("v1 %v, process %d: %q, want %q", c.v1 != nil, i, got, want)
			}
		}
		if (b.Limits() != "") != c.limits {
			t.Errorf("limits: %q", b.Limits())
		}
	}
}

// Users can move their processes in v1 from anywhere to a cgroup that is theirs, but not
// in v2: no process leaves its unit, or joins another one, by that. A unit that runs
// containers has those in v1 alone.
func TestMovedInV1(t *testing.T) {
	v2, v1 := newTree(t), newTree(t)
	const a, b, session = "system.slice/a.service", "system.slice/b.service",
		"user.slice/user-9.slice/session-1.scope"
	const user = "user.slice/user-9.slice/user@9.service/app.slice/c.service"
	const docker, scope = "system.slice/docker.service", "system.slice/x.scope"
	p := func(at2, at1 string) scan.Process {
		return scan.Process{CgroupID: v2.make(at2), CgroupV1ID: v1.make(at1), Exe: "/bin/x"}
	}
	all := []scan.Process{
		p(a, a), p(a, b), p(b, b), p(a, b+"/sub"), p(b, b+"/sub"), p(session, b), p(a, user),
		p(user, user), p(b+"/other", b+"/sub"), p(docker, "docker/"+id), p(docker, scope),
		p(a, "docker/"+id), p("none", b), p("", b), p(a, b),
	}
	want := []string{
		"a.service", "a.service", "b.service", "a.service", "b.service", "session.scope", "a.service",
		"user@/c.service", "b.service", "container:x", "x.scope",
		"container:x", "b.service", "b.service", "a.service",
	}
	r := newBench(t, &v2, &v1)
	for range 3 {
		expect(t, r.names(t, snapshot(all...)), want...)
		r.now = r.now.Add(time.Minute)
	}
	r = newBench(t, nil, &v1)
	expect(t, r.names(t, snapshot(all[1])), "b.service")
}

// Where systemd uses v2 alone, a v1 hierarchy of its name that somebody mounted
// for a container has no effect.
func TestUnified(t *testing.T) {
	v2 := newTree(t)
	unit := v2.make("a.service")
	b := newBench(t, &v2, nil)
	b.unified = true
	s := snapshot(scan.Process{CgroupID: unit, CgroupV1ID: 77, Exe: "/bin/x"}, scan.Process{CgroupID: rootID, CgroupV1ID: 77, Exe: "/bin/x"})
	expect(t, b.names(t, s), "a.service", "x")
	if w := s.WorkloadOf(&s.Processes[1]); w.Cgroup != "/" {
		t.Errorf("%+v", *w)
	}
}

// Where only a part of the hierarchy is mounted, the names at its root are units of
// the host only if just that part of the processes is seen, too.
func TestPart(t *testing.T) {
	tr := newTree(t)
	unit := tr.make("a.service")
	b := newBench(t, &tr, nil)
	b.v2.part = true
	s := snapshot(in(unit, "/bin/x"), in(rootID, "/bin/x"))
	expect(t, b.names(t, s), "x", "x")
	if w := s.WorkloadOf(&s.Processes[0]); w.Cgroup != "" {
		t.Errorf("%+v", *w)
	}
	if b.Limits() == "" {
		t.Error("and it is not told")
	}
	s = snapshot(in(unit, "/bin/x"))
	s.Source.PIDNS = "nested"
	b.now = b.now.Add(time.Hour)
	expect(t, b.names(t, s), "a.service")
}

func TestContainerNames(t *testing.T) {
	tr := newTree(t)
	c := tr.make("kubepods/pod" + pod + "/" + id)
	pause := tr.make("kubepods/pod" + pod + "/" + id2)
	forged := tr.make("user.slice/user@1000.service/cri-containerd-" + id + ".scope")
	b := newBench(t, &tr, nil)
	all := func() *scan.Snapshot { return snapshot(in(c, "/nginx"), in(pause, "/pause"), in(forged, "/evil")) }
	expect(t, b.names(t, all()), "container:nginx", "container:pause", "user@/cri-containerd.scope")
	for _, name := range []string{"web-1_shop_nginx-" + id + ".log", "junk", "x_y_z-" + id2[1:] + ".log"} {
		if err := os.WriteFile(filepath.Join(b.logs, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.Add(2 * time.Second)
	s := all()
	expect(t, b.names(t, s), "shop/nginx", "container:pause", "user@/cri-containerd.scope")
	got := *s.WorkloadOf(&s.Processes[0]).Container
	if want := (scan.Container{ID: id, PodUID: pod, Namespace: "shop", Pod: "web-1", Name: "nginx"}); got != want {
		t.Errorf("%+v", got)
	}
	// Looks for the one without a name become rare.
	looks := 0
	for range 3600 {
		b.now = b.now.Add(time.Second)
		b.Assign(all())
		if b.nextLogs.Equal(b.now) {
			looks++
		}
	}
	if looks < 30 || looks > 75 {
		t.Errorf("%d looks in an hour", looks)
	}
}

// What is kept follows what runs.
func TestForgets(t *testing.T) {
	tr := newTree(t)
	b := newBench(t, &tr, nil)
	for i := range 500 {
		id := tr.make(fmt.Sprintf("x%d.service", i))
		b.now = b.now.Add(time.Second)
		name := fmt.Sprintf("x%d.service", i)
		expect(t, b.names(t, snapshot(in(id, "/x"), in(rootID, fmt.Sprintf("/%d/same", i)), in(rootID, fmt.Sprintf("/y%d", i)))), name, "same", fmt.Sprintf("y%d", i))
	}
	exes := 0
	for _, c := range b.v2.byID {
		exes += len(c.rows)
	}
	if len(b.v2.byID) > 2*slack || len(b.table.rows) > 2*slack || exes > 2*slack || cap(b.table.rows) > 8*slack {
		t.Errorf("%d cgroups, %d rows of %d, %d executables are kept of 2", len(b.v2.byID), len(b.table.rows), cap(b.table.rows), exes)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	tr := newTree(t)
	var ids []uint64
	for i := range 200 {
		ids = append(ids, tr.make(fmt.Sprintf("system.slice/x%d.service", i)))
	}
	ids = append(ids, rootID, tr.make("docker/"+id), 1<<60)
	b := newBench(t, &tr, nil)
	for _, n := range []int{10, 1000} {
		var ps []scan.Process
		for i := range n {
			ps = append(ps, in(ids[i%len(ids)], []string{"/bin/a", "/bin/b", "/opt/b"}[i%3]))
		}
		s := snapshot(ps...)
		b.Assign(s)
		if allocs := testing.AllocsPerRun(20, func() { b.Assign(s) }); allocs != 0 {
			t.Errorf("%v allocations for %d processes", allocs, n)
		}
	}
}

func TestSharesWorkloads(t *testing.T) {
	tr := newTree(t)
	a := tr.make("a.service")
	b := newBench(t, &tr, nil)
	x, y := snapshot(in(a, "/x")), snapshot(in(a, "/x"), in(a, "/y"))
	b.Assign(x)
	b.Assign(y)
	if &x.Workloads[0] != &y.Workloads[0] {
		t.Error("the same workloads twice")
	}
}

// Of a container of which no name in Kubernetes can come it is known that it has none.
func TestGoneContainers(t *testing.T) {
	b := newBench(t, nil, nil)
	for path, unnamed := range map[string]bool{
		"/lxc.payload.web": true, "/system.slice/docker-" + webID + ".scope": false,
	} {
		w := b.Of(&scan.Process{CgroupID: 5, Exe: "/bin/sh"}, path, "")
		if w.Container == nil || w.Container.Unnamed != unnamed || w.Kind != scan.InContainer {
			t.Errorf("%s: %+v, %+v", path, w, w.Container)
		}
	}
}
