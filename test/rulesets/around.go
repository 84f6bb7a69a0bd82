// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// Around is what is around a sandbox: Before has a thread make it, before it enters the
// sandbox, and Behind when it is in it.
type Around struct {
	Name           string
	Before, Behind func() error
	// Top is what the thread then finds the ground at.
	Top string
}

func still() error { return nil }

// nothing is around.
func nothing(top string) Around { return Around{"nothing", still, still, top} }

// Around returns what is around a random sandbox.
func (g *Ground) Around(r *rand.Rand) Around {
	dirs := g.Dirs()
	from, to, root := dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))]
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
		err := unix.Chroot(root)
		if errors.Is(err, unix.ENOENT) { // a mount hides it
			err = unix.Chroot(g.Top)
		}
		if err != nil {
			return fmt.Errorf("chroot(2): %w", err)
		}
		return unix.Chdir("/")
	}
	switch r.IntN(8) {
	case 0:
		return nothing(g.Top)
	case 1:
		return Around{"a mount of " + from + " on " + to, apart(bind), still, g.Top}
	case 2:
		return Around{"a mount of " + from + " on " + to + ", root " + root, apart(bind), jail, "/"}
	case 3:
		return Around{"a tmpfs on " + to, apart(func() error {
			return unix.Mount("none", to, "tmpfs", 0, "")
		}), still, g.Top}
	case 4:
		return Around{"root " + root, func() error { return unix.Unshare(unix.CLONE_FS) }, jail, "/"}
	case 5:
		return Around{"an overlay on " + to, apart(func() error {
			err := unix.Mount("none", to, "overlay", 0, "lowerdir="+g.Top+"/a:"+g.Top+"/c")
			if errors.Is(err, unix.ENODEV) {
				return nil // this kernel has none
			}
			return err
		}), still, g.Top}
	case 6:
		return Around{"root a tmpfs on " + root + " with " + from, apart(func() error {
			fd, err := unix.Open(from, unix.O_PATH|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if err := unix.Mount("none", root, "tmpfs", 0, ""); err != nil {
				return err
			}
			if err := unix.Mkdir(root+"/a", 0o755); err != nil {
				return err
			}
			opened := fmt.Sprintf("/proc/self/fd/%d", fd) // it may be hidden by now
			return unix.Mount(opened, root+"/a", "", unix.MS_BIND, "")
		}), jail, "/"}
	default:
		return Around{"two mounts", apart(func() error {
			if err := bind(); err != nil {
				return err
			}
			if err := unix.Mount(to, root, "", unix.MS_BIND, ""); !errors.Is(err, unix.ENOENT) {
				return err
			}
			return nil // the first hides it
		}), still, g.Top}
	}
}
