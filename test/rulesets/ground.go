// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// Ground is where sandboxed threads try to reach objects, by every name that they have.
type Ground struct {
	// Top has the directories a, a/b, c, c/m and n, with a file f in each. c/l is another name
	// of a/b/f.
	Top string
	// Objects are all of them but for c/l.
	Objects []domainid.Object
	nodes   map[node]int // places in Objects
	open    []int32
}

type node struct{ dev, ino uint64 }

// NewGround makes one below a directory, which must be empty.
func NewGround(top string) (*Ground, error) {
	g := &Ground{Top: top, nodes: map[node]int{}}
	for _, dir := range []string{"a", "a/b", "c", "c/m", "n"} {
		path := filepath.Join(top, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path+"/f", []byte("x"), 0o644); err != nil {
			return nil, err
		}
		at := int32(len(g.Objects))
		g.Objects = append(g.Objects,
			domainid.Object{Asset: at, Path: path, Kind: domainid.ObjectDirectory, Parent: -1},
			domainid.Object{Asset: at + 1, Path: path + "/f", Kind: domainid.ObjectFile, Parent: at})
	}
	if err := os.Link(top+"/a/b/f", top+"/c/l"); err != nil {
		return nil, err
	}
	for i := range g.Objects {
		n, err := nodeOf(g.Objects[i].Path)
		if err != nil {
			return nil, err
		}
		g.nodes[n] = i
	}
	return g, nil
}

func nodeOf(path string) (node, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return node{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return node{st.Dev, st.Ino}, nil
}

// Resolve opens the objects, as a source asks for.
func (g *Ground) Resolve(context.Context) ([]domainid.Object, []int32, int) {
	g.open = g.open[:0]
	for i := range g.Objects {
		fd, err := unix.Open(g.Objects[i].Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			fd = -1
		}
		g.open = append(g.open, int32(fd))
	}
	return g.Objects, g.open, os.Getpid()
}

// Assets returns none: what is known of objects is compared, and not of assets.
func (g *Ground) Assets() []domainid.Asset { return nil }

// Release closes them.
func (g *Ground) Release() bool {
	for _, fd := range g.open {
		unix.Close(int(fd))
	}
	return true
}

// Dirs are the directories that rules may be on.
func (g *Ground) Dirs() []string { return g.paths(domainid.ObjectDirectory) }

// Plain are the files that rules may be on.
func (g *Ground) Plain() []string { return g.paths(domainid.ObjectFile) }

func (g *Ground) paths(kind domainid.ObjectKind) (paths []string) {
	for _, o := range g.Objects {
		if o.Kind == kind {
			paths = append(paths, o.Path)
		}
	}
	return paths
}

// Around is what is around a sandbox: Before has a thread make it, before it enters the
// sandbox, and Behind when it is in it.
type Around struct {
	Name           string
	Before, Behind func() error
	// Top is what the thread then finds the ground at.
	Top string
}

// Around returns what is around sandbox number n.
func (g *Ground) Around(r *rand.Rand) Around {
	dirs := g.Dirs()
	from, to, root := dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))]
	nothing := func() error { return nil }
	apart := func(more func() error) func() error {
		return func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("unshare(2): %w", err)
			}
			if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return fmt.Errorf("mount(2): %w", err)
			}
			return more()
		}
	}
	bind := func() error { return unix.Mount(from, to, "", unix.MS_BIND, "") }
	jail := func() error {
		if err := unix.Chroot(root); errors.Is(err, unix.ENOENT) {
			return nil // a mount hides it: then nothing is tried
		} else if err != nil {
			return fmt.Errorf("chroot(2): %w", err)
		}
		return unix.Chdir("/")
	}
	switch r.IntN(7) {
	case 0:
		return Around{"nothing", nothing, nothing, g.Top}
	case 1:
		return Around{"a mount of " + from + " on " + to, apart(bind), nothing, g.Top}
	case 2:
		return Around{"a mount of " + from + " on " + to + ", root " + root, apart(bind), jail, "/"}
	case 3:
		return Around{"a tmpfs on " + to, apart(func() error {
			return unix.Mount("none", to, "tmpfs", 0, "")
		}), nothing, g.Top}
	case 4:
		return Around{"root " + root, func() error { return unix.Unshare(unix.CLONE_FS) }, jail, "/"}
	case 5:
		return Around{"an overlay on " + to, apart(func() error {
			err := unix.Mount("none", to, "overlay", 0, "lowerdir="+g.Top+"/a:"+g.Top+"/c")
			if errors.Is(err, unix.ENODEV) {
				return nil // this kernel has none
			}
			return err
		}), nothing, g.Top}
	default:
		return Around{"two mounts", apart(func() error {
			if err := bind(); err != nil {
				return err
			}
			if err := unix.Mount(to, root, "", unix.MS_BIND, ""); !errors.Is(err, unix.ENOENT) {
				return err
			}
			return nil // the first hides it
		}), nothing, g.Top}
	}
}

// Reached has the calling thread try everything below a directory, and returns which rights
// it had on each object. n names what it makes.
func (g *Ground) Reached(top string, n int) []access.Rights {
	reached := make([]access.Rights, len(g.Objects))
	var dirs []string
	g.visit(top, 0, func(path string, object int, directory bool) {
		had := func(right string, err error) {
			if r, ok := access.Lookup(right); ok && err == nil && object >= 0 {
				reached[object][r.Class] |= 1 << r.Bit
			}
		}
		if !directory {
			tryFile(path, had)
			return
		}
		dirs = append(dirs, path)
		tryDir(filepath.Join(path, fmt.Sprint(n)), path, had)
	})
	refer, _ := access.Lookup("fs.refer")
	for i, from := range dirs {
		to := dirs[(i+1)%len(dirs)]
		a, b := g.object(from), g.object(to)
		if a != b && a >= 0 && b >= 0 && unix.Rename(fmt.Sprintf("%s/%d.moved", from, n), fmt.Sprintf("%s/%d.here", to, n)) == nil {
			reached[a][refer.Class] |= 1 << refer.Bit
			reached[b][refer.Class] |= 1 << refer.Bit
		}
	}
	return reached
}

// object returns the place of what a path leads to, or -1.
func (g *Ground) object(path string) int {
	n, err := nodeOf(path)
	if i, ok := g.nodes[n]; ok && err == nil {
		return i
	}
	return -1
}

// visit calls f with all that is there, which nobody may be able to list.
func (g *Ground) visit(path string, depth int, f func(path string, object int, directory bool)) {
	var st unix.Stat_t
	if depth > 5 || unix.Stat(path, &st) != nil {
		return
	}
	directory := st.Mode&unix.S_IFMT == unix.S_IFDIR
	f(path, g.object(path), directory)
	if directory {
		for _, name := range strings.Fields("a b c m n f l") {
			g.visit(filepath.Join(path, name), depth+1, f)
		}
	}
}

func tryFile(path string, had func(string, error)) {
	for flags, right := range map[int]string{unix.O_RDONLY: "fs.read_file", unix.O_WRONLY: "fs.write_file"} {
		had(right, open(path, flags))
		fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC)})
		had(right, err)
		unix.Close(fd)
		if fd, err = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
			had(right, open(fmt.Sprintf("/proc/self/fd/%d", fd), flags))
			unix.Close(fd)
		}
	}
	had("fs.truncate", unix.Truncate(path, 1))
}

func tryDir(at, path string, had func(string, error)) {
	had("fs.read_dir", open(path, unix.O_RDONLY|unix.O_DIRECTORY))
	had("fs.make_dir", unix.Mkdir(at+".dir", 0o700))
	had("fs.remove_dir", unix.Rmdir(at+".dir"))
	had("fs.make_reg", unix.Mknod(at+".reg", unix.S_IFREG|0o600, 0))
	had("fs.make_fifo", unix.Mknod(at+".fifo", unix.S_IFIFO|0o600, 0))
	had("fs.make_sock", unix.Mknod(at+".sock", unix.S_IFSOCK|0o600, 0))
	had("fs.make_sym", unix.Symlink("x", at+".sym"))
	had("fs.remove_file", unix.Unlink(at+".spare"))
	err := unix.Rename(at+".old", at+".over")
	had("fs.remove_file", err)
	had("fs.make_reg", err)
	had("fs.make_reg", unix.Link(at+".over", at+".link"))
}

// Spare makes what sandbox number n may try to remove and to move.
func (g *Ground) Spare(n int) error {
	for _, dir := range g.Dirs() {
		for _, name := range []string{"spare", "old", "over", "moved"} {
			if err := os.WriteFile(fmt.Sprintf("%s/%d.%s", dir, n, name), nil, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
