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

// walk finds the cgroups of one hierarchy by their IDs: the ID is the inode number of the
// cgroup's directory, which its entry in the directory above has too. So what is read is
// one listing for each directory that has others below it, and the number of links
// of each: that is 2 and the number of directories below.
//
// It goes by breadth, and in two steps: into slices, and then below units and into
// containers. What the system itself made is found in the first, and whoever fills
// a cgroup of his own with many others makes only the second take long, or be cut.
type walk struct {
	root int
	in   *cgroups // whose paths are looked for; they begin with "/"
	// runtimes are units below which the system makes cgroups, too.
	runtimes RuntimeUnits
	below    []string // the directories to begin the second step with
	buf      []byte

	dirs, opened, sum int
}

func newWalk(root int, in *cgroups, runtimes RuntimeUnits) *walk {
	clear(in.rows)
	return &walk{root: root, in: in, runtimes: runtimes, buf: make([]byte, 32<<10)}
}

// system takes the first step.
func (w *walk) system() { w.breadth([]string{""}, false) }

// others takes the second step.
func (w *walk) others() { w.breadth(w.below, true) }

func (w *walk) breadth(queue []string, second bool) {
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		w.directory(dir, func(path string, others bool) {
			if others && !second {
				w.below = append(w.below, path)
			} else {
				queue = append(queue, path)
			}
		})
	}
}

// directory looks at what is in one directory, and calls more for each that has
// others below it, with whether those are not of the system's making. A directory
// that cannot be read is passed over: what is not found is reported as unresolved.
func (w *walk) directory(dir string, more func(path string, others bool)) {
	if w.opened == maxOpened {
		return
	}
	w.opened++
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(w.root, "."+dir, flags, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	parent := dir[strings.LastIndexByte(dir, '/')+1:]
	for d, err := range dirent.Read(fd, w.buf) {
		if err != nil {
			return
		}
		if d.Kind != unix.DT_DIR || len(dir)+1+len(d.Name) > maxPath || w.dirs == maxDirs {
			continue
		}
		w.dirs++
		name := string(d.Name)
		path := dir + "/" + name
		if c := w.in.byID[d.Ino]; c != nil {
			c.setPath(path, w.runtimes)
		}
		var st unix.Stat_t
		err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil || st.Nlink == 2 {
			continue
		}
		if w.sum += len(path); w.sum <= maxPathSum {
			more(path, w.isOthers(name, parent))
		}
	}
}

// isOthers reports whether what is below a cgroup is not of the system's making.
func (w *walk) isOthers(name, parent string) bool {
	unit := unescape(name)
	machine, _ := findMachine(name)
	return isUnit(unit) && !w.runtimes.has(unit) || machine != "" ||
		parent == "lxc" || findContainer(name, parent) != nil
}
