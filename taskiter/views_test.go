// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

const (
	readFile = 1 << 2
	readDir  = 1 << 3
)

// tree makes directories below a new one, and a file f in each.
func tree(t testing.TB, dirs ...string) string {
	t.Helper()
	top := t.TempDir()
	for _, dir := range []string{top, filepath.Dir(top)} { // other users go there
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, dir, "f"), []byte("text"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// readsFiles returns whether a process's sandbox restricts reading files, and why
// that is unknown.
func readsFiles(snap *scan.Snapshot, p *scan.Process) (restricted access.Answer, doubt domainid.Doubt) {
	right, _ := access.Lookup("fs.read_file")
	sandbox, _ := snap.SandboxOf(p)
	return sandbox.Restricts.Of(right), sandbox.Doubt
}

// allows demands that a process is known to read files everywhere below its root
// directory, or not to, as the kernel lets it.
func (a *actor) allows(s *Source, want bool) {
	a.t.Helper()
	snap, p := scanSettled(a.t, s, a.pid)
	a.allowed(snap, p, want)
}

func (a *actor) allowed(snap *scan.Snapshot, p *scan.Process, want bool) {
	a.t.Helper()
	answer := access.Yes
	if want {
		answer = access.No
	}
	if got, doubt := readsFiles(snap, p); got != answer || doubt != 0 {
		a.t.Errorf("%q: reading files is restricted: %v (%v), want %v", a.cmd.Args[1:], got, doubt.Words(), answer)
	}
}

// try has the actor try an operation, and demands what comes of it.
func (a *actor) try(op string, works bool) {
	a.t.Helper()
	a.send(op + "\n")
	a.awaitReady()
	if got := a.tid == 0; got != works {
		a.t.Fatalf("%q, then %s: the kernel says %v: the test is wrong", a.cmd.Args[1:], op, unix.Errno(a.tid))
	}
}

// TestViewsOfDeepRoots: a root directory far below the top, and too far.
func TestViewsOfDeepRoots(t *testing.T) {
	s := openSource(t, Options{})
	for _, depth := range []string{"1", "20", "40", "55"} {
		a := startActorIn(t, tree(t, "."), "rooted", "open", "/", "descend", depth, "restrict", "try", "/f")
		if a.tid != 0 {
			t.Fatalf("%s directories deep: %v", depth, unix.Errno(a.tid))
		}
		a.allows(s, true)
	}
	a := startActorIn(t, tree(t, "."), "rooted", "open", "/", "descend", "70", "restrict")
	snap, p := scanSettled(t, s, a.pid)
	if got, doubt := readsFiles(snap, p); got != access.Unknown || doubt != domainid.RootTooDeep {
		t.Errorf("70 directories deep: reading files is restricted: %v (%v)", got, doubt.Words())
	}
	// Mounts above each other count for no more than directories.
	dirs := []string{"0", "jail"}
	ops := []string{"rooted", "open", "/", "namespace"}
	top := tree(t, dirs...)
	for range 12 {
		ops = append(ops, "bind", filepath.Join(top, "jail"), filepath.Join(top, "jail"))
	}
	a = startActor(t, append(ops, "chroot", filepath.Join(top, "jail"), "restrict", "try", "/f")...)
	if a.tid != 0 {
		t.Fatalf("12 mounts above each other: %v", unix.Errno(a.tid))
	}
	a.allows(s, true)
	// And by pivot_root(2), which leaves nothing above.
	for _, c := range []struct {
		open string
		want bool
	}{{top, false}, {"/", false}, {filepath.Join(top, "jail"), true}} {
		jail := filepath.Join(top, "jail")
		a = startActor(t, "rooted", "open", c.open, "namespace", "bind", jail, jail, "pivot", jail, "restrict", "try", "/f")
		if got := a.tid == 0; got != c.want {
			t.Fatalf("rule on %s, then pivot_root: %v", c.open, unix.Errno(a.tid))
		}
		a.allows(s, c.want)
	}
}

// TestViewsOfOneInode: one directory is the root directory of two processes in one
// domain, by two ways, of which a rule is on one.
func TestViewsOfOneInode(t *testing.T) {
	s := openSource(t, Options{})
	for _, order := range [][2]string{{"a/r", "b/r"}, {"b/r", "a/r"}} {
		top := tree(t, "a/r", "b/r")
		at := func(path string) string { return filepath.Join(top, path) }
		a := startActor(t, "rooted", "namespace", "bind", at("a/r"), at("b/r"), "open", at("a"), "restrict",
			"fork", "chroot", at(order[1]))
		// The parent stays where it is until the child's directory is known.
		snap, _ := scanSettled(t, s, a.pid)
		a.allowed(snap, mustFind(t, snap, a.pids[0]), order[1] == "a/r")
		a.allowed(snap, mustFind(t, snap, a.pid), false)
		b := startActor(t, "rooted", "namespace", "bind", at("a/r"), at("b/r"), "open", at("a"), "restrict",
			"fork", "chroot", at(order[0]))
		snap, _ = scanSettled(t, s, b.pid)
		b.allowed(snap, mustFind(t, snap, b.pids[0]), order[0] == "a/r")
	}
}

// TestViewsMove: what is granted changes when a directory above a root directory
// is renamed, while everything runs.
func TestViewsMove(t *testing.T) {
	s := openSource(t, Options{})
	top := tree(t, "granted/jail/inner", "other")
	at := func(path string) string { return filepath.Join(top, path) }
	a := startActor(t, "rooted", "open", at("granted"), "restrict", "chroot", at("granted/jail/inner"))
	b := startActor(t, "rooted", "open", at("granted"), "restrict", "chroot", at("other"))
	for range 3 {
		a.try("try /f", true)
		b.try("try /f", false)
		a.allows(s, true)
		b.allows(s, false)
		for from, to := range map[string]string{"granted/jail": "jail", "other": "granted/other"} {
			if err := os.Rename(at(from), at(to)); err != nil {
				t.Fatal(err)
			}
		}
		a.try("try /f", false)
		b.try("try /f", true)
		a.allows(s, false)
		b.allows(s, true)
		for to, from := range map[string]string{"granted/jail": "jail", "other": "granted/other"} {
			if err := os.Rename(at(from), at(to)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestViewsOfThreads: threads of one process have root directories of their own.
func TestViewsOfThreads(t *testing.T) {
	s := openSource(t, Options{})
	top := tree(t, "jail")
	jail := filepath.Join(top, "jail")
	a := startActor(t, "rooted", "open", jail, "restrict", "thread", "unshare-fs", "chroot", jail, "try", "/f")
	snap, p := scanSettled(t, s, a.pid)
	if p.NumTasks != 2 || a.tid != 0 {
		t.Fatalf("%d tasks, %v", p.NumTasks, unix.Errno(a.tid))
	}
	// The process restricts what all of its threads do.
	a.allowed(snap, p, true)
	right, _ := access.Lookup("fs.read_file")
	m := snap.Meaning()
	var got []access.Answer
	for _, task := range snap.TasksOf(p) {
		sandbox := m.Task(task.Domain, task.View, task.Depth, task.DepthExact)
		got = append(got, sandbox.Restricts.Of(right))
	}
	if got[0] != access.Yes || got[1] != access.No {
		t.Errorf("threads restrict reading files: %v, want yes and no", got)
	}
}

// TestViewsOfDetachedRoots: a root directory that no way leads up from.
func TestViewsOfDetachedRoots(t *testing.T) {
	s := openSource(t, Options{})
	top := tree(t, "jail/inner", "mount", "other")
	at := func(path string) string { return filepath.Join(top, path) }
	a := startActor(t, "rooted", "namespace", "bind", at("jail"), at("mount"), "open", at("mount"), "restrict",
		"chroot", at("mount/inner"), "try", "/f")
	if a.tid != 0 {
		t.Fatal(unix.Errno(a.tid))
	}
	a.allows(s, true)
	if err := os.Rename(at("jail/inner"), at("other/inner")); err != nil {
		t.Fatal(err)
	}
	snap, p := scanSettled(t, s, a.pid)
	if got, doubt := readsFiles(snap, p); got != access.Unknown || doubt != domainid.RootDetached {
		t.Errorf("outside of its mount: reading files is restricted: %v (%v)", got, doubt.Words())
	}
}

// TestViewsOfWorkingDirectories: where a task works outside of its root directory,
// rules on that do not grant everything that it can name.
func TestViewsOfWorkingDirectories(t *testing.T) {
	s := openSource(t, Options{})
	top := tree(t, "jail", "jail/inner", "other")
	at := func(path string) string { return filepath.Join(top, path) }
	for _, c := range []struct {
		open, cwd string
		works     bool // it reads the file f of its working directory
		want      access.Answer
		doubt     domainid.Doubt
	}{
		{at("jail"), at("other"), false, access.Unknown, domainid.CwdOutside},
		{at("jail"), "/", false, access.Unknown, domainid.CwdOutside},
		{at("jail"), at("jail/inner"), true, access.No, 0},
		{at("jail"), at("jail"), true, access.No, 0},
		{at("other"), at("other"), true, access.Yes, 0},               // no grant on the root
		{"/", at("other"), true, access.Unknown, domainid.CwdOutside}, // it could be known
	} {
		a := startActor(t, "rooted", "open", c.open, "cd", c.cwd, "cage", at("jail"), "restrict", "try", "f")
		if works := a.tid == 0; works != c.works {
			t.Fatalf("rule on %s, in %s: %v", c.open, c.cwd, unix.Errno(a.tid))
		}
		snap, p := scanSettled(t, s, a.pid)
		if got, doubt := readsFiles(snap, p); got != c.want || doubt != c.doubt {
			t.Errorf("rule on %s, in %s: reading files is restricted: %v (%v), want %v", c.open, c.cwd, got, doubt.Words(), c.want)
		}
	}
}

// TestViewsAreShared: tasks that have the same view have it once.
func TestViewsAreShared(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "many", "50", "1")
	snap := mustScan(t, s)
	views := map[string]int{}
	for _, v := range snap.Views {
		views[fmt.Sprint(v)]++
	}
	for v, n := range views {
		if n != 1 {
			t.Errorf("view %s is there %d times", v, n)
		}
	}
	if len(snap.Views) < len(a.pids) {
		t.Errorf("%d views of at least %d domains", len(snap.Views), len(a.pids))
	}
}
