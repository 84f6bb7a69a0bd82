// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/thread"
)

// object is a file as a rule has it, however many paths lead to it.
type object struct {
	// dev is the device that the filesystem itself has: that of stat(2) may be
	// another one, on overlays and btrfs.
	dev, ino uint64
	// fsRoot: it is the root of its filesystem.
	fsRoot bool
}

// objectsOf returns what the paths are to a task, "/" among them.
func objectsOf(tid int32, paths []string) (map[string]object, error) {
	mounts, err := readMounts(tid)
	if err != nil {
		return nil, err
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", tid))
	if err != nil {
		return nil, err
	}
	defer namespace.Close()
	root, err := os.OpenFile(fmt.Sprintf("/proc/%d/root", tid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	objects := map[string]object{}
	thread.Run(func() {
		if err = unix.Unshare(unix.CLONE_FS); err == nil {
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS)
		}
		for _, path := range append([]string{"/"}, paths...) {
			if err == nil {
				objects[path], err = mounts.object(unix.AT_FDCWD, path)
			}
		}
	})()
	if err != nil {
		return nil, err
	}
	own, err := mounts.object(int(root.Fd()), "")
	if err == nil && own != objects["/"] {
		// Paths would lead to something else, from this root or from that one.
		err = fmt.Errorf("the root directory of task %d is not that of its mount namespace", tid)
	}
	return objects, err
}

// mounts are those of a mount namespace, by their IDs.
type mounts map[uint64]mount

type mount struct {
	dev uint64
	// whole: it shows its filesystem from the root on.
	whole bool
}

// readMounts reads /proc/[tid]/mountinfo, see proc_pid_mountinfo(5).
func readMounts(tid int32) (mounts, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mountinfo", tid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := mounts{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var id uint64
		var major, minor uint32
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			return nil, fmt.Errorf("mountinfo: %q", lines.Text())
		}
		id, err = strconv.ParseUint(fields[0], 10, 64)
		if err == nil {
			_, err = fmt.Sscanf(fields[2], "%d:%d", &major, &minor)
		}
		if err != nil {
			return nil, fmt.Errorf("mountinfo: %q: %w", lines.Text(), err)
		}
		all[id] = mount{unix.Mkdev(major, minor), fields[3] == "/"}
	}
	return all, lines.Err()
}

// object finds out what a path is; empty for what the descriptor is of.
func (m mounts) object(fd int, path string) (object, error) {
	var st unix.Statx_t
	flags := 0
	if path == "" {
		flags = unix.AT_EMPTY_PATH
	}
	if err := unix.Statx(fd, path, flags, unix.STATX_INO|unix.STATX_MNT_ID, &st); err != nil {
		return object{}, fmt.Errorf("statx %q: %w", path, err)
	}
	at, ok := m[st.Mnt_id]
	if !ok {
		return object{}, fmt.Errorf("%q is on mount %d, which the namespace has not", path, st.Mnt_id)
	}
	return object{at.dev, st.Ino, at.whole && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0}, nil
}
