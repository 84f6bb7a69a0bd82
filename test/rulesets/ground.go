// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// Ground is where sandboxed threads try to reach objects, by every name that they have, and
// what is outside of their domains, by every call.
type Ground struct {
	// Top has the directories a, a/b, c, c/m and n, with a file f in each. c/l is another name
	// of a/b/f. In a/b and c are Unix sockets: s takes connections, and d datagrams.
	Top string
	// Objects are all of them but for c/l, and then what assets are.
	Objects []domainid.Object
	nodes   map[node]int // places in Objects
	open    []int32
	assets  []domainid.Asset
	own     []int // a descriptor of each of the directories
	proc    int
	root    node // of the host
	outside *outside
}

type node struct{ dev, ino uint64 }

// NewGround makes one below a directory, which must be empty.
func NewGround(top string) (*Ground, error) {
	g := &Ground{Top: top, nodes: map[node]int{}, proc: -1}
	for _, dir := range []string{"a", "a/b", "c", "c/m", "n"} {
		path := filepath.Join(top, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path+"/f", []byte("x"), 0o644); err != nil {
			return nil, err
		}
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		g.own = append(g.own, fd)
		at := g.add(path, domainid.ObjectDirectory, -1)
		g.add(path+"/f", domainid.ObjectFile, at)
	}
	if err := os.Link(top+"/a/b/f", top+"/c/l"); err != nil {
		return nil, err
	}
	var err error
	if g.outside, err = newOutside([]string{top + "/a/b", top + "/c"}); err != nil {
		return nil, err
	}
	for _, dir := range []string{top + "/a/b", top + "/c"} {
		for _, name := range []string{"/s", "/d"} {
			g.add(dir+name, domainid.ObjectSocket, g.at(dir))
		}
	}
	for i := range g.Objects {
		n, err := nodeOf(g.Objects[i].Path)
		if err != nil {
			return nil, err
		}
		g.nodes[n] = i
	}
	if g.root, err = nodeOf("/"); err != nil {
		return nil, err
	}
	g.addAssets()
	// What is behind /proc/self/fd has no name in other roots.
	if g.proc, err = unix.Open("/proc", unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open /proc: %w", err)
	}
	return g, nil
}

// Close ends what is outside. The files stay.
func (g *Ground) Close() {
	g.outside.close()
	unix.Close(g.proc)
	for _, fd := range g.own {
		unix.Close(fd)
	}
}

func (g *Ground) add(path string, kind domainid.ObjectKind, parent int32) int32 {
	g.Objects = append(g.Objects, domainid.Object{Asset: -1, Path: path, Kind: kind, Parent: parent})
	return int32(len(g.Objects) - 1)
}

// at returns the place of an object by its path.
func (g *Ground) at(path string) int32 {
	for i := range g.Objects {
		if g.Objects[i].Path == path {
			return int32(i)
		}
	}
	return -1
}

// addAssets adds assets of all kinds, and what those of files are.
func (g *Ground) addAssets() {
	is := func(a domainid.Asset) {
		n := int32(len(g.assets))
		a.Name = fmt.Sprint(n)
		for _, path := range append(a.Paths, a.Unix...) {
			o := g.Objects[g.at(path)]
			o.Asset = n
			g.Objects = append(g.Objects, o)
		}
		g.assets = append(g.assets, a)
	}
	at := func(paths ...string) (all []string) {
		for _, path := range paths {
			all = append(all, filepath.Join(g.Top, path))
		}
		return all
	}
	is(domainid.Asset{Paths: at("a/b/f", "c/m/f"), Read: true})
	is(domainid.Asset{Paths: at("a/b/f"), Write: true})
	is(domainid.Asset{Paths: at("c/m/f"), Write: true})
	is(domainid.Asset{Paths: at("a"), Read: true})
	is(domainid.Asset{Paths: at("c"), Write: true})
	is(domainid.Asset{Paths: at("n", "a/f"), Read: true, Write: true})
	is(domainid.Asset{Unix: at("a/b/s")})
	is(domainid.Asset{Unix: at("c/s", "c/d")})
	is(domainid.Asset{TCP: []uint16{g.outside.port}, Connect: true})
	is(domainid.Asset{TCP: []uint16{lowPort, highPort}, Bind: true})
	is(domainid.Asset{Signal: true})
	is(domainid.Asset{AbstractUnix: true})
}

func nodeOf(path string) (node, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return node{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return node{st.Dev, st.Ino}, nil
}

// object returns the place of what a path leads to, or -1.
func (g *Ground) object(path string) int {
	n, err := nodeOf(path)
	if i, ok := g.nodes[n]; ok && err == nil {
		return i
	}
	return -1
}

// inside reports whether an object is another one, or below it. The second name of a/b/f is
// outside of a.
func (g *Ground) inside(object, of int) bool {
	path, above := g.Objects[object].Path, g.Objects[of].Path
	return path == above || strings.HasPrefix(path, above+"/") && !strings.HasSuffix(path, "/b/f")
}

// Resolve opens the objects, as a source asks for.
func (g *Ground) Resolve(context.Context) ([]domainid.Object, []int32, int) {
	g.open = g.open[:0]
	for i := range g.Objects {
		fd, err := unix.Open(g.Objects[i].Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			fd = -1
		}
		g.open = append(g.open, int32(fd))
	}
	return g.Objects, g.open, os.Getpid()
}

// Assets are those that the last objects of Objects are of.
func (g *Ground) Assets() []domainid.Asset { return g.assets }

// Release closes them.
func (g *Ground) Release() bool {
	for _, fd := range g.open {
		unix.Close(int(fd))
	}
	return true
}

// Dirs are the directories that rules may be on.
func (g *Ground) Dirs() []string { return g.paths(domainid.ObjectDirectory) }

// Plain are what rules may be on beside directories.
func (g *Ground) Plain() []string {
	return append(g.paths(domainid.ObjectFile), g.paths(domainid.ObjectSocket)...)
}

func (g *Ground) paths(kind domainid.ObjectKind) (paths []string) {
	for i := range g.Objects {
		if o := &g.Objects[i]; o.Kind == kind && o.Asset < 0 {
			paths = append(paths, o.Path)
		}
	}
	return paths
}

// Spare makes what sandbox number n may try to remove and to move.
func (g *Ground) Spare(n int) error {
	for _, dir := range g.Dirs() {
		at := fmt.Sprintf("%s/%d", dir, n)
		for _, name := range []string{"spare", "old", "over", "moved", "peer"} {
			if err := os.WriteFile(at+"."+name, nil, 0o600); err != nil {
				return err
			}
		}
		for _, name := range []string{"sparedir", "olddir"} {
			if err := os.Mkdir(at+"."+name, 0o700); err != nil {
				return err
			}
		}
	}
	return nil
}

// mend moves the directories back to where they were.
func (g *Ground) mend() error {
	for i, path := range g.Dirs() { // each behind the one above it
		now, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", g.own[i]))
		if err == nil && now != path {
			err = os.Rename(now, path)
		}
		if err != nil {
			return fmt.Errorf("mend %s: %w", path, err)
		}
	}
	return nil
}

// unlink removes the names that sandbox number n gave to objects.
func (g *Ground) unlink(n int) error {
	for _, dir := range append(g.Dirs(), g.Top) {
		err := os.Remove(fmt.Sprintf("%s/%d.got", dir, n))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
