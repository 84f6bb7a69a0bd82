// SPDX-License-Identifier: Apache-2.0

// Package places finds paths of files of which the device and the inode number
// are known, as a process finds them. It is a search, with the caller's own
// rights: what it does not find may have a path all the same. What it finds was
// looked at: it has that device and number.
package places

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/dirent"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/procdir"
)

// maxLooks bounds the number of directory entries that a search looks at.
const maxLooks = 400_000

// Find looks for the files until all are found, or what may be looked at is, or
// ctx ends. It begins with what is likely: mount points, what the process has
// open, directories that sandboxes are often about.
func Find(ctx context.Context, t *target.Process, files []explain.File) map[explain.File]string {
	s := &search{
		ctx: ctx, target: t, found: map[explain.File]string{}, wanted: map[explain.File]bool{},
		numbers: map[uint64]bool{}, walked: map[explain.File]bool{},
	}
	for _, f := range files {
		s.wanted[f], s.numbers[f.Ino] = true, true
	}
	mounts, err := t.Mounts()
	if err != nil {
		return s.found
	}
	s.mounts = mounts
	s.try("/")
	for _, m := range mounts {
		s.try(m.Point)
	}
	for p := range strings.FieldsSeq(common) {
		s.try(p)
	}
	for _, name := range s.links() {
		if to, err := t.Link(name); err == nil && strings.HasPrefix(to, "/") {
			for p := path.Clean(to); p != "/"; p = path.Dir(p) {
				s.try(p)
			}
		}
	}
	s.walk()
	return s.found
}

type search struct {
	ctx    context.Context
	target *target.Process
	wanted map[explain.File]bool
	// numbers are the inode numbers of wanted.
	numbers map[uint64]bool
	found   map[explain.File]string
	mounts  []procdir.Mount
	walked  map[explain.File]bool
	looks   int
}

func (s *search) done() bool {
	return len(s.found) == len(s.wanted) || s.looks > maxLooks || s.ctx.Err() != nil
}

func (s *search) links() []string {
	const maxFDs = 4096
	open := s.target.Names("fd", maxFDs)
	names := append(make([]string, 0, len(open)+2), "cwd", "exe")
	for _, fd := range open {
		names = append(names, "fd/"+fd)
	}
	return names
}

// common are directories and files that sandboxes are often about.
const common = "/usr /bin /sbin /lib /lib32 /lib64 /etc /var /tmp /run /home /root /dev /proc /sys /opt /srv /mnt /media /boot " +
	"/usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/libexec /usr/local /usr/share /var/lib /var/log /var/tmp /var/cache /var/run /var/spool " +
	"/etc/ssl /etc/pki /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/passwd /etc/group /etc/localtime /etc/ld.so.cache " +
	"/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/pts /dev/shm /dev/log " +
	"/run/systemd /run/systemd/resolve /run/user /run/lock /sys/fs/cgroup /proc/self /proc/sys"

// isForeign reports whether a path is in a filesystem that is left alone: of the
// mounts that are above it, the nearest counts, and of several in one place the
// last.
func (s *search) isForeign(p string) bool {
	nearest := -1
	for i := range s.mounts {
		at := s.mounts[i].Point
		if explain.IsBelow(p, at) && (nearest < 0 || len(at) >= len(s.mounts[nearest].Point)) {
			nearest = i
		}
	}
	return nearest >= 0 && !slices.Contains(local, s.mounts[nearest].Type)
}

// try notes a path if it is that of a file that is looked for. The shortest of
// the first ones stays.
func (s *search) try(p string) {
	s.looks++
	if s.done() || s.isForeign(p) {
		return
	}
	f, err := s.target.Find(p)
	if err != nil {
		return
	}
	defer f.Close()
	at, ok := identify(f)
	if _, known := s.found[at]; ok && s.wanted[at] && !known {
		s.found[at] = p
	}
}

func identify(f *os.File) (explain.File, bool) {
	var st unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &st)
	return target.FileOf(&st), err == nil
}

// walk looks at directories, the highest ones first, by the inode numbers in their
// entries: only what has one that is looked for is opened.
func (s *search) walk() {
	dirs := []string{"/"}
	for _, m := range s.mounts {
		if m.Point != "/" {
			dirs = append(dirs, m.Point)
		}
	}
	for len(dirs) > 0 && !s.done() {
		dir := dirs[0]
		dirs = dirs[1:]
		// Below /proc, with an entry for each process, none keeps an inode number for long.
		if !s.isForeign(dir) && !explain.IsBelow(dir, "/proc") {
			dirs = append(dirs, s.list(dir)...)
		}
	}
}

// list looks at the entries of a directory and returns the directories in it.
func (s *search) list(dir string) (below []string) {
	f, err := s.target.Find(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	at, ok := identify(f)
	if !ok || s.walked[at] {
		return nil
	}
	s.walked[at] = true
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	fd, err := unix.Openat(int(f.Fd()), ".", flags|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) { // O_NOATIME is for the owner
		fd, err = unix.Openat(int(f.Fd()), ".", flags, 0)
	}
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	for e, err := range dirent.Read(fd, make([]byte, 32<<10)) {
		if err != nil || s.done() {
			break
		}
		s.looks++
		p := path.Join(dir, string(e.Name))
		if s.numbers[e.Ino] {
			s.try(p)
		}
		if e.Kind == unix.DT_DIR {
			below = append(below, p)
		}
	}
	return below
}

// local are the types of filesystems that answer by themselves. All others may be
// served by a program, here or elsewhere, which may block a reader for ever.
var local = []string{
	"bcachefs", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
	"devtmpfs", "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs",
	"iso9660", "mqueue", "overlay", "proc", "pstore", "ramfs", "rootfs", "securityfs",
	"squashfs", "sysfs", "tmpfs", "tracefs", "udf", "vfat", "xfs", "zfs",
}
