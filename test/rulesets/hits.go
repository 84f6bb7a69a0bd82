// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// hit is something that a thread reached.
type hit struct {
	call  string // by which it did
	right access.Right
	// object is what it had a right to files on, as a place in Ground.Objects, or -1.
	object int
	// replaces: it did not have the right on the object, but had another one in its place.
	replaces bool
	port     uint16
	way      access.Ways // the way past the right, 0 for the plain one
}

// tries are what a thread tries from inside of a sandbox.
type tries struct {
	*Ground
	n     int // names what it makes
	ring  *ring
	hits  []hit
	calls map[string]bool // whether it had any success
	// broken are what must have worked, and did not.
	broken []error
}

// reach has the calling thread try all that there is, with the ground at a path.
func (g *Ground) reach(top string, n int) *tries {
	t := &tries{Ground: g, n: n, calls: map[string]bool{}}
	t.must(unix.Unshare(unix.CLONE_FS), "unshare(2)")
	t.must(unix.Chdir(top), "chdir(2)") // from where handles are opened
	if n, err := nodeOf("."); err != nil || n == g.root {
		t.must(errors.Join(err, errors.New("it is the host's root directory")), top)
		return t
	}
	t.ring, _ = newRing() // nil: no call by it has success
	defer t.ring.close()
	t.tryNetwork()
	t.trySignals()
	t.trySockets(t.outside.abstract+"s", t.outside.abstract+"d", "scope.abstract_unix_socket", -1, -1)
	t.tryOwn(fmt.Sprintf("@landlockd-reach-own-%d", unix.Gettid()))
	var dirs, files []string
	t.visit(top, 0, func(path string, kind uint32) {
		switch kind {
		case unix.S_IFDIR:
			t.tryDir(path)
			dirs = append(dirs, path)
		case unix.S_IFREG:
			t.tryFile("", path)
			files = append(files, path)
		}
	})
	for _, dir := range dirs {
		s, d := filepath.Join(dir, "s"), filepath.Join(dir, "d")
		if o := t.object(s); o >= 0 {
			t.trySockets(s, d, "fs.resolve_unix", o, t.object(d))
		}
	}
	t.tryMoves(dirs, files)
	return t
}

// visit calls f with all that is there, which nobody may be able to list, and its type.
func (t *tries) visit(path string, depth int, f func(path string, kind uint32)) {
	var st unix.Stat_t
	if depth > 5 || unix.Stat(path, &st) != nil {
		return
	}
	f(path, st.Mode&unix.S_IFMT)
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		for _, name := range strings.Fields("a b c m n f l") {
			t.visit(filepath.Join(path, name), depth+1, f)
		}
	}
}

// had notes what came of a call, by which whoever has success has rights on an object.
func (t *tries) had(call string, object int, err error, rights ...string) {
	for _, right := range rights {
		t.note(hit{call: call, right: named(right), object: object}, err)
	}
}

func (t *tries) note(h hit, err error) {
	t.calls[h.call] = t.calls[h.call] || err == nil
	if err == nil && (h.right.Class != access.FS || h.object >= 0) {
		t.hits = append(t.hits, h)
	}
}

// must notes what has to work.
func (t *tries) must(err error, what string) {
	if err != nil {
		t.broken = append(t.broken, fmt.Errorf("%s: %w", what, err))
	}
}

// named returns a right of the table.
func named(name string) access.Right {
	r, ok := access.Lookup(name)
	if !ok {
		panic("no right " + name)
	}
	return r
}

// unsandboxed does something in a thread that is in no domain.
func unsandboxed(f func() error) error {
	done := make(chan error)
	go func() { done <- f() }()
	return <-done
}
