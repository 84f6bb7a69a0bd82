// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrInUse is the error of a [Listen] at a path where somebody listens already.
var ErrInUse = errors.New("another program listens there")

// maxPath is the length of the longest path that a socket can have (sun_path, with
// the NUL behind it).
const maxPath = 107

// Listen makes the socket, which every user may connect to. Its directory is made
// if only that is missing. A socket that a dead process left is replaced; anything
// else that is there is an error. The file stays when the listener is closed: the
// stage that serves may remove none.
//
// It changes the umask for a moment: nobody else may make files meanwhile.
func Listen(path string) (*net.UnixListener, error) {
	if !filepath.IsAbs(path) || len(path) > maxPath {
		return nil, fmt.Errorf("socket %q: want an absolute path of at most %d bytes", path, maxPath)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("directory of the socket: %w", err)
	}
	if err := removeDead(path); err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	// Not chmod(2) afterwards: whoever can write to the directory could have put a
	// symbolic link in its place by then.
	const connectByAll = 0o111
	umask := unix.Umask(connectByAll)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	unix.Umask(umask)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	return l, nil
}

// removeDead removes a socket on which nobody listens. It names what it removes from the
// directory in which it saw the socket: whoever owns one above can put another one in its
// place meanwhile.
func removeDead(path string) error {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	name := filepath.Base(path)
	st, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case st.Mode().Type() != fs.ModeSocket:
		return errors.New("there is a file that is no socket")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("socket(2): %w", err)
	}
	defer unix.Close(fd)
	switch err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); {
	case err == nil, errors.Is(err, unix.EAGAIN): // EAGAIN: many wait to be accepted
		return ErrInUse
	case errors.Is(err, unix.ECONNREFUSED):
		return dir.Remove(name)
	default:
		return fmt.Errorf("connect(2), to find out whether anybody listens: %w", err)
	}
}
