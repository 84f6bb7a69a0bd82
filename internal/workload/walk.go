// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/dirent"
)

// Bounds of one walk. Whoever may make cgroups could otherwise keep it busy.
const (
	maxDirs    = 1 << 18 // directories that are looked at
	maxOpened  = 1 << 15 // of them, those that are read because they have some below
	maxPath    = 4095    // bytes of a path
	maxPathSum = 16 << 20
)

// walker finds cgroups by their IDs: the ID is the inode number of the cgroup's
// directory, which its entry in the directory above has too. So what is read is
// one listing for each directory that has others below it, and the number of links
// of each: that is 2 and the number of directories below.
//
// It goes by breadth, and in two steps: into slices, and then below units and into
// containers. What the system itself made is found in the first, and whoever fills
// a cgroup of his own with many others makes only the second take long, or be cut.
type walker struct {
	buf []byte
	// wanted reports whether the path of a cgroup is asked for, which found is
	// then called with. Paths begin with "/".
	wanted func(id uint64) bool
	found  func(id uint64, path string)
	// runtimes are units below which the system makes cgroups, too.
	runtimes RuntimeUnits

	dirs, opened, sum int // of the current walk
}

// system takes the first step, and returns the directories to begin the second with.
func (w *walker) system(root int) (below []string) {
	if w.buf == nil {
		w.buf = make([]byte, 32<<10)
	}
	w.dirs, w.opened, w.sum = 0, 0, 0
	if w.wanted(rootID) {
		w.found(rootID, "/")
	}
	queue := []string{""}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		w.directory(root, dir, func(path string, others bool) {
			if others {
				below = append(below, path)
			} else {
				queue = append(queue, path)
			}
		})
	}
	return below
}

// others takes the second step.
func (w *walker) others(root int, queue []string) {
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		w.directory(root, dir, func(path string, _ bool) { queue = append(queue, path) })
	}
}

// directory looks at what is in one directory, and calls more for each that has
// others below it, with whether those are not of the system's making. A directory
// that cannot be read is passed over: what is not found is reported as unresolved.
func (w *walker) directory(root int, dir string, more func(path string, others bool)) {
	if w.opened == maxOpened {
		return
	}
	w.opened++
	fd, err := unix.Openat(root, "."+dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	parent := dir[strings.LastIndexByte(dir, '/')+1:]
	for d, err := range dirent.Read(fd, w.buf) {
		if err != nil {
			return
		}
		if d.Kind != unix.DT_DIR {
			continue
		}
		if len(dir)+1+len(d.Name) > maxPath || w.dirs == maxDirs {
			continue
		}
		w.dirs++
		name := string(d.Name)
		path := dir + "/" + name
		if w.wanted(d.Ino) {
			w.found(d.Ino, path)
		}
		var st unix.Stat_t
		if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil || st.Nlink == 2 {
			continue
		}
		if w.sum += len(path); w.sum <= maxPathSum {
			more(path, w.isOthers(name, parent))
		}
	}
}

// isOthers reports whether what is below a cgroup is not of the system's making.
func (w *walker) isOthers(name, parent string) bool {
	unit := unescape(name)
	machine, _ := findMachine(name)
	return isUnit(unit) && !w.runtimes.has(unit) || machine != "" ||
		parent == "lxc" || findContainer(name, parent) != nil
}
