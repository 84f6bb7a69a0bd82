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
	in *cgroups // whose paths are looked for; they begin with "/"
	// runtimes are units below which the system makes cgroups, too.
	runtimes RuntimeUnits
	queue    []string // the directories to look at in this step
	next     []string // those to begin the next step with
	buf      []byte

	dirs, opened, sum int
}

func newWalk(in *cgroups, runtimes RuntimeUnits) *walk {
	clear(in.rows)
	return &walk{in: in, runtimes: runtimes, next: []string{""}, buf: make([]byte, 32<<10)}
}

// step takes the first step, or the second one.
func (w *walk) step(second bool) {
	w.queue, w.next = w.next, nil
	for len(w.queue) > 0 {
		dir := w.queue[0]
		w.queue = w.queue[1:]
		w.directory(dir, second)
	}
}

// directory looks at what is in one directory, and queues each that has others below
// it. A directory that cannot be read is passed over: what is not found is reported as
// unresolved.
func (w *walk) directory(dir string, second bool) {
	if w.opened == maxOpened {
		return
	}
	w.opened++
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(w.in.root, "."+dir, flags, 0)
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
		switch w.sum += len(path); {
		case w.sum > maxPathSum:
		case !second && w.isOthers(name, parent):
			w.next = append(w.next, path)
		default:
			w.queue = append(w.queue, path)
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
