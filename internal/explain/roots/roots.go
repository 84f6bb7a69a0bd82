// SPDX-License-Identifier: Apache-2.0

// Package roots finds out which root directories the threads of a process have,
// with the caller's own rights.
package roots

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// Look looks at the root directories of threads of a process. Those that have the
// one from which t finds files stand first. A thread that has gone is left out; it
// is an error if none could be looked at.
func Look(t *target.Process, tids []int32) (*explain.Roots, error) {
	own, err := target.See(unix.AT_FDCWD, "/")
	if err != nil {
		return nil, fmt.Errorf("look at the root directory: %w", err)
	}
	first, err := target.See(int(t.Root.Fd()), "")
	if err != nil {
		return nil, fmt.Errorf("look at the root directory of process %d: %w", t.PID, err)
	}
	mounts, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return nil, fmt.Errorf("read the own mount namespace: %w", err)
	}
	found, at := &explain.Roots{}, map[place]int{}
	var missing error
	look := func(tid int32) error {
		d, err := t.Thread(tid)
		if err != nil {
			return err
		}
		defer d.Close()
		p, err := placeOf(d)
		if err != nil {
			return fmt.Errorf("thread %d: %w", tid, err)
		}
		i, known := at[p]
		if !known {
			r := explain.Root{Path: untrusted.Text(p.path), OtherMounts: p.mounts != mounts}
			if r.Own = p.path != "/" || p.sight.File != own.File; r.Own {
				r.Mounted = mountedOn(d)
			}
			i = len(found.All)
			at[p], found.All = i, append(found.All, r)
		}
		found.All[i].TIDs = append(found.All[i].TIDs, tid)
		return nil
	}
	for _, tid := range tids {
		if err := look(tid); err != nil {
			missing = err
		}
	}
	if len(found.All) == 0 {
		return nil, missing
	}
	for p, i := range at {
		if p.sight == first {
			found.All[0], found.All[i] = found.All[i], found.All[0]
			break
		}
	}
	return found, nil
}

// place is a root directory as a thread has it.
type place struct {
	sight        target.Sight
	mounts, path string
}

func placeOf(d *procdir.Dir) (p place, err error) {
	if p.path, err = d.Link("root"); err != nil {
		return p, err
	}
	if p.mounts, err = d.Link("ns/mnt"); err != nil {
		return p, err
	}
	root, err := d.File("root", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return p, fmt.Errorf("open the root directory: %w", err)
	}
	defer root.Close()
	if p.sight, err = target.See(int(root.Fd()), ""); err != nil {
		return p, fmt.Errorf("look at the root directory: %w", err)
	}
	return p, nil
}

// mountedOn returns what is mounted on the root directory of a thread, nil if nothing is;
// of several mounts the last one.
func mountedOn(d *procdir.Dir) (found *explain.Mounted) {
	mounts, _ := d.Mounts()
	for _, m := range mounts {
		if m.Point == "/" {
			found = &explain.Mounted{
				Path: untrusted.Text(m.Root), Type: untrusted.Text(m.Type),
				Dev: untrusted.Text(m.Dev),
			}
		}
	}
	return found
}
