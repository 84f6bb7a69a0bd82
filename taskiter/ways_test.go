// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
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
	fds     []int
}

func (o *opened) Resolve(context.Context) ([]domainid.Object, []int) {
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
		o.fds = append(o.fds, fd)
	}
	return o.objects, o.fds
}

func (o *opened) Release() {
	for _, fd := range o.fds {
		unix.Close(fd)
	}
	o.fds = nil
}

// watch opens a source that looks for ways to some paths.
func watch(t testing.TB, paths ...string) *Source {
	t.Helper()
	s := openSource(t, Options{})
	if s.state.NoWays != "" {
		t.Fatal(s.state.NoWays)
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
