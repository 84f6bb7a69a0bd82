// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/patient"
)

// Local opens what assets are in this process.
type Local struct {
	tree *tree
	// assets returns what is to be looked for: another scan may be about others.
	assets func() []domainid.Asset
	// calls are made for one path or pattern, for the account of its asset: whoever delays
	// one asset, for what is his stands for it, delays no other.
	calls *patient.Caller[lookedFor, []place]
	of    []domainid.Asset // of the last Resolve
	open  []int
}

// lookedFor names a call. Several assets may have the same path, and are looked for at once.
type lookedFor struct {
	asset int
	path  string
}

// OpenLocal returns a resolver of what assets returns at each call of Resolve, and nobody
// changes any more. Paths begin at root: "/", or where a container has that of the host.
func OpenLocal(root string, assets func() []domainid.Asset) (*Local, error) {
	t, err := openTree(root)
	if err != nil {
		return nil, err
	}
	calls := patient.New[lookedFor, []place](domainid.MaxAssets * patient.MaxPending)
	return &Local{tree: t, assets: assets, calls: calls}, nil
}

// Resolve opens what the assets are, and returns objects, at most domainid.MaxObjects, and
// for each a descriptor of this process, whose PID it returns, or -1. They stay open until the
// next call, or Release. What takes long, or cannot be looked at, is unreadable: the call
// takes a second at most.
func (l *Local) Resolve(context.Context) (objects []domainid.Object, descriptors []int32, pid int) {
	l.Release()
	l.of = l.assets()
	t := l.resolve()
	return t.objects, t.descriptors, os.Getpid()
}

func (l *Local) resolve() table {
	all := make([]found, len(l.of))
	var opening sync.WaitGroup
	for i := range l.of {
		if paths := pathsOf(&l.of[i]); len(paths) > 0 {
			opening.Go(func() { all[i] = l.asset(i, paths) })
		}
	}
	opening.Wait()
	for i := range all {
		l.open = append(l.open, all[i].open...)
	}
	return assemble(all)
}

// Assets are those that the last objects are of.
func (l *Local) Assets() []domainid.Asset { return l.of }

// Release closes what is open, and reports whether it was until then: always.
func (l *Local) Release() bool {
	closeAll(l.open)
	l.open = l.open[:0]
	return true
}

// Close implements [io.Closer].
func (l *Local) Close() error {
	l.Release()
	return unix.Close(l.tree.fd)
}

// maxOpen is how many descriptors one asset gets before it gets no more.
const maxOpen = domainid.MaxObjects

// found is what one asset is.
type found struct {
	asset  int32
	places []place
	open   []int
}

func (l *Local) asset(i int, paths []string) found {
	f := found{asset: int32(i)}
	for _, path := range paths {
		if len(f.open) >= maxOpen {
			f.places = append(f.places, place{fd: -1, path: path})
			break
		}
		places, open, err := l.patiently(lookedFor{i, path}, maxOpen-len(f.open))
		if f.places = append(f.places, places...); err != nil {
			f.places = append(f.places, place{fd: -1, path: path})
		}
		f.open = append(f.open, open...)
	}
	return f
}

// patiently looks for what a path is, until it has opened as much as it may. What comes too
// late is closed by whoever opened it.
func (l *Local) patiently(what lookedFor, most int) (places []place, open []int, err error) {
	var over atomic.Bool // either the call has returned, or nobody waits any more
	opened := []int{}
	places, err = l.calls.Do(uint64(what.asset), what, func() ([]place, error) {
		places, err := l.tree.find(what.path, &opened, most)
		if over.Swap(true) {
			closeAll(opened)
		}
		return places, err
	})
	if !errors.Is(err, patient.ErrDelayed) {
		return places, opened, err
	}
	if over.Swap(true) {
		closeAll(opened) // it came just then, or was not made
	}
	return nil, nil, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// find returns what a path or pattern is, and looks for no more once so many are open. With
// an error, there may be more.
func (t *tree) find(path string, opened *[]int, most int) ([]place, error) {
	if !meta(path) {
		p, err := t.steady(path, opened)
		if err != nil {
			return nil, err
		}
		return []place{p}, nil
	}
	paths, err := t.glob(path)
	var places []place
	for _, match := range paths {
		if len(*opened) >= most {
			return places, errTooMany
		}
		p, e := t.steady(match, opened)
		switch {
		case e != nil:
			err = e
		case p.ObjectKind != domainid.ObjectAbsent:
			places = append(places, p)
		}
	}
	if len(places) == 0 && err == nil {
		places = []place{{ObjectKind: domainid.ObjectAbsent, fd: -1, path: path}}
	}
	return places, err
}

// steady is follow of a path that may be just about to lead elsewhere, as files do that are
// replaced.
func (t *tree) steady(path string, opened *[]int) (p place, err error) {
	for range maxTries {
		before := len(*opened)
		if p, err = t.follow(path, opened); !errors.Is(err, errChanging) {
			return p, err
		}
		closeAll((*opened)[before:])
		*opened = (*opened)[:before]
	}
	return p, err
}
