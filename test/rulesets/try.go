// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Site is where sandboxed threads try what they may do.
type Site struct {
	// Top has the directories a, a/b and c, with a file f in each.
	Top string
	// Abstract is the name of an abstract Unix socket that listens outside.
	Abstract string
	listener int
}

// NewSite makes a site below a directory, which must be empty.
func NewSite(top string) (*Site, error) {
	for _, dir := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			return nil, err
		}
	}
	s := &Site{Top: top, Abstract: fmt.Sprintf("landlockd-rulesets-%d", os.Getpid())}
	for _, dir := range s.Dirs() {
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
			return nil, err
		}
	}
	var err error
	if s.listener, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("socket(2): %w", err)
	}
	if err := unix.Bind(s.listener, &unix.SockaddrUnix{Name: "@" + s.Abstract}); err != nil {
		unix.Close(s.listener)
		return nil, fmt.Errorf("bind(2): %w", err)
	}
	return s, nil
}

// Close ends what listens.
func (s *Site) Close() error { return unix.Close(s.listener) }

// Dirs are the site's directories, and Plain its files.
func (s *Site) Dirs() []string {
	return []string{s.Top, filepath.Join(s.Top, "a"), filepath.Join(s.Top, "a/b"), filepath.Join(s.Top, "c")}
}

// Plain are the site's files.
func (s *Site) Plain() []string {
	var files []string
	for _, dir := range s.Dirs() {
		files = append(files, filepath.Join(dir, "f"))
	}
	return files
}

// attempt is one thing to try.
type attempt struct {
	right string
	// path or port is what it is tried on, the directory for what makes or
	// removes something.
	path string
	port uint16
	do   func() error
}

// Try has the calling thread, which is in a sandbox, try each access, and
// returns where the outcome is not what the rules say. n names what it makes: it
// is different for each sandbox.
func Try(s sandbox.Sandbox, site *Site, n int, ports []uint16) []error {
	var errs []error
	for _, a := range append(site.attempts(n), attemptPorts(ports)...) {
		right, ok := access.Lookup(a.right)
		if !ok {
			return []error{fmt.Errorf("no right %q", a.right)}
		}
		err := a.do()
		denied := errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
		if want := !allows(s, right, a.path, a.port); denied != want {
			errs = append(errs, fmt.Errorf("%s on %s %d: denied %v, by the rules %v (%w)", a.right, a.path, a.port, denied, want, orNone(err)))
		}
	}
	return errs
}

// allows reports whether every layer that handles a right grants it there.
func allows(s sandbox.Sandbox, right access.Right, path string, port uint16) bool {
	for _, l := range s {
		if !right.In(l.Handled) {
			continue
		}
		granted := l.Ports[port]
		if right.Class == access.FS {
			granted = 0
			for on, rights := range l.Files {
				if on == "/" || on == path || strings.HasPrefix(path, on+"/") {
					granted |= rights
				}
			}
		}
		if right.Class == access.Scope || granted&(1<<right.Bit) == 0 {
			return false
		}
	}
	return true
}

var errNone = errors.New("no error")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

func (s *Site) attempts(n int) []attempt {
	var all []attempt
	add := func(right, path string, do func() error) {
		all = append(all, attempt{right: right, path: path, do: do})
	}
	for _, f := range s.Plain() {
		add("fs.read_file", f, func() error { return open(f, unix.O_RDONLY) })
		add("fs.write_file", f, func() error { return open(f, unix.O_WRONLY) })
		add("fs.truncate", f, func() error { return unix.Truncate(f, 1) })
	}
	for _, d := range s.Dirs() {
		at := filepath.Join(d, fmt.Sprint(n))
		add("fs.read_dir", d, func() error { return open(d, unix.O_RDONLY|unix.O_DIRECTORY) })
		add("fs.make_dir", d, func() error { return unix.Mkdir(at+".dir", 0o700) })
		add("fs.make_reg", d, func() error { return unix.Mknod(at+".reg", unix.S_IFREG|0o600, 0) })
		add("fs.make_fifo", d, func() error { return unix.Mknod(at+".fifo", unix.S_IFIFO|0o600, 0) })
		add("fs.make_sock", d, func() error { return unix.Mknod(at+".sock", unix.S_IFSOCK|0o600, 0) })
		add("fs.make_char", d, func() error { return unix.Mknod(at+".char", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) })
		add("fs.make_sym", d, func() error { return unix.Symlink("x", at+".sym") })
		add("fs.remove_file", d, func() error { return unix.Unlink(at + ".spare") })
		add("fs.remove_dir", d, func() error { return unix.Rmdir(at + ".sparedir") })
	}
	add("scope.abstract_unix_socket", "", func() error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + s.Abstract})
	})
	add("scope.signal", "", func() error {
		const kthreadd = 2
		target := os.Getppid()
		if target < 1 {
			target = kthreadd // this is a guest's first process
		}
		return unix.Kill(target, 0)
	})
	return all
}

// Spare makes what sandbox number n may try to remove.
func (s *Site) Spare(n int) error {
	for _, d := range s.Dirs() {
		at := filepath.Join(d, fmt.Sprint(n))
		if err := os.WriteFile(at+".spare", nil, 0o600); err != nil {
			return err
		}
		if err := os.Mkdir(at+".sparedir", 0o700); err != nil {
			return err
		}
	}
	return nil
}

// attemptPorts binds and connects TCP sockets. Nothing is sent.
func attemptPorts(ports []uint16) []attempt {
	var all []attempt
	for _, port := range ports {
		at := &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}
		all = append(all,
			attempt{right: "net.bind_tcp", port: port, do: func() error {
				return onSocket(func(fd int) error { return unix.Bind(fd, at) })
			}},
			attempt{right: "net.connect_tcp", port: port, do: func() error {
				return onSocket(func(fd int) error { return unix.Connect(fd, at) })
			}})
	}
	return all
}

func onSocket(do func(fd int) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket(2): %w", err)
	}
	defer unix.Close(fd)
	return do(fd)
}

func open(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}
