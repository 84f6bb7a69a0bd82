// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
)

// maxGroups is MAX_GROUPS of actor/ends.h.
const maxGroups = 8

// Group is a cgroup for processes: one of the same path in each hierarchy that names them.
type Group struct {
	// V2 and V1 are its IDs; 0 where there is no such hierarchy.
	V2, V1 uint64
	// Path is that of V2, which begins with "/".
	Path string
	dirs [2]string // of v2 and v1; empty where there is none
}

// Groups are cgroups below one of their own.
type Groups []Group

// MakeGroups makes n of them, at most 8, below a cgroup with a name. The caller removes
// them.
func MakeGroups(host cgroupfs.Host, name string, n int) (Groups, error) {
	if n > maxGroups {
		return nil, fmt.Errorf("make cgroups: %d, at most %d are possible", n, maxGroups)
	}
	if host.V2 == "" {
		return nil, errors.New("make cgroups: no cgroup2 is mounted below /sys/fs/cgroup")
	}
	var groups Groups
	for i := range n {
		g := Group{Path: filepath.Join("/", name, fmt.Sprintf("group-%d.service", i))}
		groups = append(groups, g)
		for v, root := range []string{host.V2, host.V1.Dir} {
			if root == "" {
				continue
			}
			dir := filepath.Join(root, g.Path)
			groups[i].dirs[v] = dir
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return nil, errors.Join(fmt.Errorf("make cgroups: %w", err), groups.Remove())
			}
		}
		var err error
		if groups[i].V2, err = idOf(groups[i].dirs[0]); err == nil && groups[i].dirs[1] != "" {
			groups[i].V1, err = idOf(groups[i].dirs[1])
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make cgroups: %w", err), groups.Remove())
		}
	}
	return groups, nil
}

// idOf returns the inode number of a directory, which is a cgroup's ID.
func idOf(dir string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, fmt.Errorf("%s: %w", dir, err)
	}
	return st.Ino, nil
}

// Remove removes them.
func (g Groups) Remove() (err error) {
	parents := map[string]bool{}
	for i := range g {
		for _, dir := range g[i].dirs {
			if dir != "" {
				err = errors.Join(err, RemoveCgroup(dir))
				parents[filepath.Dir(dir)] = true
			}
		}
	}
	for dir := range parents {
		err = errors.Join(err, RemoveCgroup(dir))
	}
	return err
}

// RemoveCgroup removes one that is empty, or gone. A process that has just been reaped may still
// be in it.
func RemoveCgroup(dir string) (err error) {
	for range 100 {
		if err = unix.Rmdir(dir); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove the cgroup %s: %w", dir, err)
	}
	return nil
}

// open returns the directories, those of v2 first; /dev/null stands for none.
func (g Groups) open() (files []*os.File, err error) {
	for v := range 2 {
		for i := range g {
			name := g[i].dirs[v]
			if name == "" {
				name = os.DevNull
			}
			f, err := os.Open(name)
			if err != nil {
				closeAll(files)
				return nil, fmt.Errorf("open a cgroup: %w", err)
			}
			files = append(files, f)
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
