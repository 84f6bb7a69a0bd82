// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// opened is a resolver of paths as they are.
type opened struct {
	t       testing.TB
	paths   []string
	objects []domainid.Object
	fds     []int32
}

func (o *opened) Resolve(context.Context) ([]domainid.Object, []int32, int) {
	o.objects, o.fds = nil, nil
	for i, path := range o.paths {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			o.t.Fatal(path, err)
		}
		kind := domainid.ObjectFile
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			kind = domainid.ObjectDirectory
		}
		o.objects = append(o.objects, domainid.Object{Asset: int32(i), Path: path, Kind: kind, Parent: -1})
		o.fds = append(o.fds, int32(fd))
	}
	return o.objects, o.fds, os.Getpid()
}

func (o *opened) Assets() []domainid.Asset { return nil }

func (o *opened) Release() bool {
	for _, fd := range o.fds {
		unix.Close(int(fd))
	}
	o.fds = nil
	return true
}

// watch opens a source that looks for ways to some paths.
func watch(t testing.TB, paths ...string) *Source {
	t.Helper()
	s := openSource(t, Options{})
	if s.NoWays() != "" {
		t.Fatal(s.NoWays())
	}
	s.Resolve(&opened{t: t, paths: paths})
	return s
}

// sceneOf returns the places of what a process's first task is kept from.
func placesOf(t testing.TB, snap *scan.Snapshot, p *scan.Process) []domainid.Place {
	t.Helper()
	n := snap.TasksOf(p)[0].Scene
	if n == domainid.NoScene {
		t.Fatalf("process %d has no scene", p.PID)
	}
	return snap.Scenes[n-1].Places
}

// keeps demands that a process is known to be kept from reading a path's file, or not to,
// as the kernel has it.
func (a *actor) keeps(s *Source, object int, want access.Answer, doubt domainid.Doubt) {
	a.t.Helper()
	snap, p := scanSettled(a.t, s, a.pid)
	place := placesOf(a.t, snap, p)[object]
	got := access.Between(place.Denied.Sure&readFile != 0, place.Denied.May&readFile != 0)
	if got != want || place.Doubt != doubt {
		a.t.Errorf("%q: object %d is kept from it: %v %x (%v), want %v (%v)", a.cmd.Args[2:], object, got,
			place.Denied, place.Doubt.Words(), want, doubt.Words())
	}
}

// TestWaysEnd: one read has what the numbered mount namespaces have, and no other is visited.
func TestWaysEnd(t *testing.T) {
	s := watch(t, "/etc/passwd")
	a := startActor(t, "many", "3", "1")
	scanSettled(t, s, a.pid)
	seen := newSpaces()
	seen.begin(int(s.control.NumSpaces))
	reads := 0
	if err := s.read(t.Context(), waysFile, func(b []byte) error {
		reads++
		return seen.block(b)
	}); err != nil {
		t.Fatal(err)
	}
	if !seen.ended || reads != 1 || s.control.NumSpaces == 0 {
		t.Errorf("%d namespaces: %d reads, ended: %v", s.control.NumSpaces, reads, seen.ended)
	}
}

func TestWays(t *testing.T) {
	top := tree(t, "a/b", "c")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a/b/f"), at("c/f"), "/etc/passwd")
	a := startActor(t, "rooted", "open", at("a"), "restrict")
	for i, path := range []string{"a/b/f", "c/f", "../../../../etc/passwd"} {
		a.try("try "+at(path), i == 0)
		want := access.Yes
		if i == 0 {
			want = access.No
		}
		a.keeps(s, i, want, 0)
	}
}

// TestWaysOfNamespaces: what a mount namespace has mounted are ways of its own.
func TestWaysOfNamespaces(t *testing.T) {
	top := tree(t, "a/b", "c", "granted", "jail/inner")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a/b/f"))
	for _, c := range []struct {
		name string
		ops  []string
		path string // by which it is tried
		want access.Answer
	}{
		{"a rule on what a mount hides", []string{"open", at("granted"), "bind", at("a/b"), at("granted")},
			at("granted/f"), access.Yes},
		{"above the mount", []string{"bind", at("a/b"), at("granted"), "open", top}, at("granted/f"), access.No},
		{"on what is mounted", []string{"open", at("a"), "bind", at("a/b"), at("c")}, at("a/b/f"), access.No},
		{"beside it", []string{"open", at("granted"), "bind", at("a/b"), at("c")}, at("c/f"), access.Yes},
		{"only by the mount", []string{"bind", at("a"), at("jail/inner"), "open", at("jail")},
			at("jail/inner/b/f"), access.No},
		{"a chroot below the rule", []string{"open", at("a"), "chroot", at("a/b")}, "/f", access.No},
		{"a chroot elsewhere", []string{"open", at("c"), "chroot", at("a/b")}, "/f", access.Yes},
		{"a new root", []string{"bind", at("a"), at("a"), "open", at("a"), "pivot", at("a")}, "/b/f", access.No},
		{"a new root, a rule on what was above", []string{"open", top, "bind", at("a"), at("a"), "pivot", at("a")},
			"/b/f", access.Yes},
	} {
		a := startActor(t, append(append([]string{"rooted", "namespace"}, c.ops...), "restrict")...)
		a.try("try "+c.path, c.want == access.No)
		t.Run(c.name, func(t *testing.T) { a.t = t; a.keeps(s, 0, c.want, 0) })
		a.t = t
		a.stop()
	}
}

// TestWaysMove: directories on the way to a file are renamed, while everything runs.
func TestWaysMove(t *testing.T) {
	top := tree(t, "granted", "a/b")
	at := func(path string) string { return filepath.Join(top, path) }
	a := startActor(t, "rooted", "open", at("granted"), "restrict")
	s := watch(t, at("a/b/f"))
	a.keeps(s, 0, access.Yes, 0)
	if err := os.Rename(at("a"), at("granted/a")); err != nil {
		t.Fatal(err)
	}
	a.try("try "+at("granted/a/b/f"), true)
	s.Resolve(&opened{t: t, paths: []string{at("granted/a/b/f")}})
	a.keeps(s, 0, access.No, 0)
}

// TestWaysOfHardLinks: a file with two names is granted by either, and by one that the
// kernel does not remember.
func TestWaysOfHardLinks(t *testing.T) {
	top := tree(t, "granted", "a")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a/f"))
	a := startActor(t, "rooted", "open", at("granted"), "restrict")
	nowhere := startActor(t, "rooted", "restrict")
	a.keeps(s, 0, access.Yes, 0)
	if err := os.Link(at("a/f"), at("granted/link")); err != nil {
		t.Fatal(err)
	}
	a.try("try "+at("granted/link"), true)
	a.keeps(s, 0, access.No, 0)
	nowhere.keeps(s, 0, access.Yes, 0)
	// More than are looked at.
	for i := range 17 {
		if err := os.Link(at("a/f"), at(fmt.Sprint("a/link", i))); err != nil {
			t.Fatal(err)
		}
	}
	snap, p := scanSettled(t, s, a.pid)
	if place := placesOf(t, snap, p)[0]; place.Denied.Sure&readFile != 0 || place.Doubt != domainid.Unplaced {
		t.Errorf("of 19 names: %+v", place)
	}
	nowhere.keeps(s, 0, access.Yes, 0)
	for i := range 17 {
		if err := os.Remove(at(fmt.Sprint("a/link", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(at("granted/link")); err != nil {
		t.Fatal(err)
	}
	a.keeps(s, 0, access.Yes, 0)
}

// TestWaysOfNothing: what the resolver does not have open is not taken for something that
// no way leads to.
func TestWaysOfNothing(t *testing.T) {
	s := watch(t)
	a := startActor(t, "rooted", "restrict")
	granted := startActor(t, "rooted", "open", "/", "restrict")
	for _, r := range []*nothingOpen{{fd: 700, open: true, pid: os.Getpid()}, {fd: 1 << 30, open: true, pid: os.Getpid()},
		{fd: 0, open: false, pid: os.Getpid()}, {fd: 0, open: true, pid: 1 << 30}} {
		s.Resolve(r)
		a.keeps(s, 0, access.Yes, domainid.WaysUnread) // as no rule grants it anywhere
		granted.keeps(s, 0, access.Unknown, domainid.WaysUnread)
	}
}

// nothingOpen is a resolver that opens nothing.
type nothingOpen struct {
	fd   int32
	pid  int
	open bool
}

func (r *nothingOpen) Resolve(context.Context) ([]domainid.Object, []int32, int) {
	return []domainid.Object{{Path: "/x", Kind: domainid.ObjectFile, Parent: -1}}, []int32{r.fd}, r.pid
}

func (r *nothingOpen) Assets() []domainid.Asset { return nil }

func (r *nothingOpen) Release() bool { return r.open }

// keepsBelow demands the same of all that is below a directory.
func (a *actor) keepsBelow(s *Source, object int, want access.Answer, doubt domainid.Doubt) {
	a.t.Helper()
	snap, p := scanSettled(a.t, s, a.pid)
	place := placesOf(a.t, snap, p)[object]
	got := access.Between(place.Below.Sure&readFile != 0, place.Below.May&readFile != 0)
	if got != want || place.Doubt != doubt {
		a.t.Errorf("%q: all below object %d is kept from it: %v %x (%v), want %v (%v)", a.cmd.Args[2:], object, got,
			place.Below, place.Doubt.Words(), want, doubt.Words())
	}
}

// TestWaysBelow: what rules grant somewhere below a directory.
func TestWaysBelow(t *testing.T) {
	top := tree(t, "a", "a/b/c", "other")
	at := func(path string) string { return filepath.Join(top, path) }
	if err := os.Link(at("other/f"), at("other/link")); err != nil {
		t.Fatal(err)
	}
	s := watch(t, at("a"), at("a/b"))
	for _, c := range []struct {
		name, open string
		want       [2]access.Answer // of each object
		doubt      domainid.Doubt
	}{
		{"no rule", "", [2]access.Answer{access.Yes, access.Yes}, 0},
		{"beside it", "other", [2]access.Answer{access.Yes, access.Yes}, 0},
		{"above it", ".", [2]access.Answer{access.No, access.No}, 0},
		{"on it", "a", [2]access.Answer{access.No, access.No}, 0},
		{"below it", "a/b/c", [2]access.Answer{access.No, access.No}, 0},
		{"a file below it", "a/f", [2]access.Answer{access.No, access.Yes}, 0},
		{"a file of two names", "other/f", [2]access.Answer{access.Unknown, access.Unknown}, domainid.Unplaced},
	} {
		t.Run(c.name, func(t *testing.T) {
			ops := []string{"rooted"}
			if c.open != "" {
				ops = append(ops, "open", at(c.open))
			}
			a := startActor(t, append(ops, "restrict")...)
			for object, want := range c.want {
				a.keepsBelow(s, object, want, c.doubt)
			}
			if c.open == "a/b/c" {
				a.keeps(s, 0, access.Yes, 0) // itself
			}
		})
	}
}

// TestWaysBelowLayers: what one layer grants below a directory, another does not.
func TestWaysBelowLayers(t *testing.T) {
	top := tree(t, "a/b/c", "a/d")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a"))
	for second, want := range map[string]access.Answer{"a/b/c": access.No, "a/d": access.Yes, "a": access.No} {
		a := startActor(t, "rooted", "open", at("a/b"), "restrict", "open", at(second), "restrict")
		a.keepsBelow(s, 0, want, 0)
	}
}

// TestWaysBelowMount: by a mount of a part, what is above that in another place counts.
func TestWaysBelowMount(t *testing.T) {
	top := tree(t, "a/b", "granted/mount")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a"))
	a := startActor(t, "rooted", "namespace", "bind", at("a/b"), at("granted/mount"), "open", at("granted"), "restrict")
	a.try("try "+at("granted/mount/f"), true)
	a.keeps(s, 0, access.Yes, 0)
	a.keepsBelow(s, 0, access.No, 0)
}

// TestWaysBelowMounts: what is mounted below a directory is part of it, and is not looked at.
func TestWaysBelowMounts(t *testing.T) {
	top := tree(t, "a/b", "c")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a"), at("c"))
	a := startActor(t, "rooted", "open", at("c"), "restrict")
	nowhere := startActor(t, "rooted", "restrict")
	a.keepsBelow(s, 0, access.Yes, 0)
	if err := unix.Mount(at("c"), at("a/b"), "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(at("a/b"), unix.MNT_DETACH) })
	a.try("try "+at("a/b/f"), true)
	a.keepsBelow(s, 0, access.Unknown, domainid.Unplaced)
	nowhere.keepsBelow(s, 0, access.Yes, 0)
}

// changing is a context at each question to which something changes.
type changing struct {
	context.Context
	change func()
}

func (c changing) Err() error {
	c.change()
	return c.Context.Err()
}

// TestWaysWhileMountsChange: what users have mounted where all services are, as they may by
// setuid programs, blinds nobody.
func TestWaysWhileMountsChange(t *testing.T) {
	top := tree(t, "granted", "a", "mounted")
	at := func(path string) string { return filepath.Join(top, path) }
	s := watch(t, at("a/f"), at("granted"))
	a := startActor(t, "rooted", "open", at("granted"), "restrict")
	a.keeps(s, 0, access.Yes, 0)
	t.Cleanup(func() { _ = unix.Unmount(at("mounted"), unix.MNT_DETACH) })
	ctx := changing{t.Context(), func() {
		if err := unix.Mount("none", at("mounted"), "tmpfs", 0, "size=4k"); err != nil {
			t.Error(err)
		}
		if err := unix.Unmount(at("mounted"), unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}}
	// Others may have something mounted just then, too.
	for try := 0; ; try++ {
		snap, err := s.Scan(ctx)
		if err != nil {
			t.Fatal(err)
		}
		p := snap.Find(a.pid)
		if p == nil {
			t.Fatal("the process is not there")
		}
		places := placesOf(t, snap, p)
		if places[0].Denied.Sure&readFile != 0 && places[0].Doubt == 0 && places[1].Below.May&readFile == 0 && places[1].Doubt == 0 {
			return
		}
		if try == 20 {
			t.Fatalf("%+v", places)
		}
	}
}
