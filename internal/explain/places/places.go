// SPDX-License-Identifier: Apache-2.0

// Package places finds paths of files of which the device and the inode number
// are known, as a process finds them. It is a search, with the caller's own
// rights: what it does not find may have a path all the same. What it finds was
// looked at: it has that device and number.
package places

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// maxLooks bounds the number of directory entries that a search looks at, maxEntries those of one
// directory in one turn.
const (
	maxLooks   = 400_000
	maxEntries = maxLooks / 32
)

// Find looks for the files until all are found, or what may be looked at is, or ctx ends, and
// calls found for each: with an empty path for one of which is certain that the process finds it
// by none, as all of its directories were looked at. It begins with what is likely: mount points,
// what the process has open, directories that sandboxes are often about. An error says why it did
// not look at more.
func Find(
	ctx context.Context, t *target.Process, files []explain.File, found func(explain.File, string),
) error {
	s, err := newSearch(ctx, t, files, found)
	if err != nil {
		return err
	}
	s.try("/")
	for _, m := range s.mounts {
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
	if s.isForeign("/") {
		return errForeign
	}
	if !s.done() && !s.missed {
		s.gone()
	}
	return nil
}

func newSearch(
	ctx context.Context, t *target.Process, files []explain.File, found func(explain.File, string),
) (*search, error) {
	s := &search{
		ctx: ctx, target: t, found: found, wanted: map[explain.File]bool{},
		numbers: map[uint64]bool{}, walked: map[explain.File]string{},
	}
	for _, f := range files {
		s.wanted[f], s.numbers[f.Ino] = true, true
	}
	var err error
	if s.mounts, err = t.Mounts(); err != nil {
		return nil, err
	}
	return s, s.addRoot()
}

// gone names the files that have no path, after a whole walk, as far as numbers of inodes are
// the same everywhere in their filesystems.
func (s *search) gone() {
	for f := range s.wanted {
		dev := fmt.Sprintf("%d:%d", unix.Major(f.Dev), unix.Minor(f.Dev))
		if slices.ContainsFunc(s.mounts, func(m procdir.Mount) bool {
			return m.Dev == dev && slices.Contains(numbered, m.Type)
		}) {
			s.found(f, "")
		}
	}
}

var errForeign = errors.New("its root directory is in a filesystem that a program or another " +
	"host may serve, which might not answer")

// addRoot adds the mount that the root directory is in, if that is a directory in it: the
// process's own list has only what is below its root directory. By its device it may be
// one that this program has in its list. Its type is else not known.
func (s *search) addRoot() error {
	onRoot := func(m procdir.Mount) bool { return m.Point == "/" }
	if slices.ContainsFunc(s.mounts, onRoot) {
		return nil
	}
	at, err := target.See(int(s.target.Root.Fd()), "")
	if err != nil {
		return fmt.Errorf("look at the root directory: %w", err)
	}
	const longest = 4 << 20
	text, err := procdir.ReadAt(unix.AT_FDCWD, "/proc/self/mountinfo", longest)
	if err != nil {
		return err
	}
	root := procdir.Mount{Point: "/"}
	root.Dev = fmt.Sprintf("%d:%d", unix.Major(at.File.Dev), unix.Minor(at.File.Dev))
	for _, m := range procdir.ParseMounts(string(text)) {
		if m.Dev == root.Dev {
			root.Type = m.Type
		}
	}
	s.mounts = append(s.mounts, root)
	return nil
}

type search struct {
	ctx    context.Context
	target *target.Process
	wanted map[explain.File]bool // and not found yet
	// numbers are their inode numbers, found or not.
	numbers map[uint64]bool
	found   func(explain.File, string)
	mounts  []procdir.Mount
	// walked are the directories that were looked at, and where.
	walked map[explain.File]string
	turns  turns
	looks  int
	// missed: some directory that the process may find was not looked at.
	missed bool
}

func (s *search) done() bool {
	return len(s.wanted) == 0 || s.looks > maxLooks || s.ctx.Err() != nil
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

// isForeign reports whether a path is in a filesystem that is left alone.
func (s *search) isForeign(p string) bool {
	in, _ := s.mountOf(p)
	return in >= 0 && !slices.Contains(local, s.mounts[in].Type)
}

// mountOf returns which mount a path is in, or -1: of those that are above it, the nearest counts,
// and of several in one place the last. It may be covered, by a later one that is less near.
func (s *search) mountOf(p string) (in int, covered bool) {
	in = -1
	for i := range s.mounts {
		at := s.mounts[i].Point
		switch {
		case !explain.IsBelow(p, at):
		case in < 0 || len(at) >= len(s.mounts[in].Point):
			in = i
		default:
			covered = true
		}
	}
	return in, covered
}

// try notes a path if it is that of a file that is looked for. The shortest of
// the first ones stays.
func (s *search) try(p string) {
	if err := s.look(p); err != nil {
		s.lacks(err)
	}
}

func (s *search) look(p string) error {
	s.looks++
	if s.done() || s.isForeign(p) {
		return nil
	}
	f, st, err := s.open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	if at := target.FileOf(&st); s.wanted[at] {
		delete(s.wanted, at)
		s.found(at, p)
	}
	return nil
}

// walk looks at directories, of each share the highest ones first, by the inode numbers in their
// entries: only what has one that is looked for is opened.
func (s *search) walk() {
	first := s.turns.queue(share{})
	first.add("/", 0)
	for _, m := range s.mounts {
		if m.Point != "/" {
			first.add(m.Point, 0)
		}
	}
	for !s.done() {
		dir, from := s.turns.next()
		if from == nil {
			break
		}
		s.looks++
		switch {
		// With an entry for each process, which has no number for long.
		case explain.IsBelow(dir.path, "/proc"):
		case s.isForeign(dir.path):
			_, covered := s.mountOf(dir.path)
			s.missed = s.missed || covered
		default:
			s.list(dir, from)
		}
	}
	belowProc := func(m procdir.Mount) bool {
		return explain.IsBelow(m.Point, "/proc") && slices.Contains(numbered, m.Type)
	}
	s.missed = s.missed || slices.ContainsFunc(s.mounts, belowProc)
}

// lacks notes that something could not be looked at that may be there.
func (s *search) lacks(err error) {
	gone := errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
	s.missed = s.missed || !gone
}

// open opens a path as the process finds it, and looks at what is there.
func (s *search) open(p string) (f *os.File, st unix.Stat_t, err error) {
	if f, err = s.target.Find(p); err != nil {
		return nil, st, err
	}
	if err = unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
	}
	return f, st, err
}

// list looks at entries of a directory that a queue had, and puts the directories in it, and what
// is left of it, into their share. Whoever owns it has it in a share of his own.
func (s *search) list(dir part, from *queue) {
	f, st, err := s.open(dir.path)
	if err != nil {
		// A mount may be covered; what was listed was there.
		mount := slices.ContainsFunc(s.mounts, func(m procdir.Mount) bool { return m.Point == dir.path })
		s.missed = s.missed || !mount
		s.lacks(err)
		return
	}
	defer f.Close()
	at := target.FileOf(&st)
	whose := share{at.Dev, st.Uid == 0, dir.from > 0}
	own := s.turns.queue(whose)
	if own != from {
		own.add(dir.path, dir.from)
		return
	}
	if before, walked := s.walked[at]; walked && dir.from == 0 {
		// What is mounted on something in it is there by one of its paths alone.
		s.missed = s.missed || before != dir.path && s.hasMounts(before)
		return
	}
	s.walked[at] = dir.path
	fd, err := read(f, dir.from)
	if err != nil {
		s.missed = true
		return
	}
	defer unix.Close(fd)
	entries := 0
	for e, err := range dirent.Read(fd, make([]byte, 32<<10)) {
		if err != nil || s.done() {
			s.missed = true
			return
		}
		s.looks++
		own.looks++
		p := path.Join(dir.path, string(e.Name))
		if s.numbers[e.Ino] && s.look(p) != nil {
			s.missed = true
		}
		switch e.Kind {
		case unix.DT_DIR:
			own.add(p, 0)
		case unix.DT_UNKNOWN:
			s.missed = true
		}
		if entries++; entries == maxEntries {
			// Not all filesystems go on where they were if something is removed meanwhile.
			s.missed = true
			whose.rest = true
			s.turns.queue(whose).add(dir.path, e.Next)
			return
		}
	}
}

// hasMounts reports whether something is mounted below a directory.
func (s *search) hasMounts(dir string) bool {
	return slices.ContainsFunc(s.mounts, func(m procdir.Mount) bool {
		return m.Point != dir && explain.IsBelow(m.Point, dir)
	})
}

// read opens a directory for reading from an offset on.
func read(dir *os.File, from int64) (fd int, err error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	fd, err = unix.Openat(int(dir.Fd()), ".", flags|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) { // O_NOATIME is for the owner
		fd, err = unix.Openat(int(dir.Fd()), ".", flags, 0)
	}
	if err != nil || from == 0 {
		return fd, err
	}
	if _, err = unix.Seek(fd, from, io.SeekStart); err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// local are the types of filesystems that answer by themselves. All others may be
// served by a program, here or elsewhere, which may block a reader for ever.
var local = []string{
	"bcachefs", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
	"devtmpfs", "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs",
	"iso9660", "mqueue", "overlay", "proc", "pstore", "ramfs", "rootfs", "securityfs",
	"squashfs", "sysfs", "tmpfs", "tracefs", "udf", "vfat", "xfs", "zfs",
}

// numbered are those of them in which the kernel, stat(2) and directories have the same number
// of an inode.
var numbered = []string{"ext2", "ext3", "ext4", "f2fs", "ramfs", "tmpfs", "xfs"}
