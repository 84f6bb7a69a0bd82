// SPDX-License-Identifier: Apache-2.0

package provoke

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Port is the one that is bound and connected to.
const Port = 18

func file(dir string) (string, error) {
	path := filepath.Join(dir, "file")
	return path, os.WriteFile(path, []byte("text"), 0o600)
}

func directory(dir string) (string, error) {
	path := filepath.Join(dir, "directory")
	return path, os.Mkdir(path, 0o700)
}

func absent(dir string) (string, error) { return filepath.Join(dir, "absent"), nil }

// on returns an attempt to do something to what a function makes.
func on(what func(string) (string, error), do func(string) error) func(string) (func() error, error) {
	return func(dir string) (func() error, error) {
		path, err := what(dir)
		return func() error { return do(path) }, err
	}
}

func opening(what func(string) (string, error), flags int) func(string) (func() error, error) {
	return on(what, func(path string) error {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	})
}

// execute does not stop the other threads first, as package syscall does: it fails.
func execute(path string) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	none := [1]*byte{}
	_, _, errno := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&none)), uintptr(unsafe.Pointer(&none)))
	return errno
}

func linking(dir string) (func() error, error) {
	from, err := file(dir)
	if err != nil {
		return nil, err
	}
	to, err := directory(dir)
	return func() error { return unix.Link(from, filepath.Join(to, "link")) }, err
}

func controlling(string) (func() error, error) {
	fd, path := -1, "/dev/null"
	return func() error {
		if fd < 0 { // what was opened outside the domain is free
			var err error
			if fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
				return err
			}
		}
		const noCommand = 0x4c4c
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), noCommand, 0)
		return errno
	}, nil
}

func tracing(string) (func() error, error) {
	parent := os.Getppid()
	return func() error { return unix.PtraceSeize(parent) }, nil
}

func mounting(dir string) (func() error, error) {
	return func() error { return unix.Mount(dir, dir, "", unix.MS_BIND, "") }, nil
}

func socket(kind int, do func(int, unix.Sockaddr) error) func(string) (func() error, error) {
	return func(string) (func() error, error) {
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("socket(2): %w", err)
		}
		return func() error { return do(fd, &unix.SockaddrInet4{Port: Port, Addr: [4]byte{127, 0, 0, 1}}) }, nil
	}
}

func pathSocket(dir string) (func() error, error) { return unixSocket(filepath.Join(dir, "socket")) }

// AbstractName is the name of the abstract socket that is connected to, behind a
// prefix of the process's own.
const AbstractName = " landlockd test"

func abstractSocket(string) (func() error, error) {
	return unixSocket(fmt.Sprintf("@%d%s", os.Getpid(), AbstractName))
}

// unixSocket makes a socket that listens outside the domain.
func unixSocket(name string) (func() error, error) {
	server, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket(2): %w", err)
	}
	address := &unix.SockaddrUnix{Name: name}
	if err := unix.Bind(server, address); err != nil {
		return nil, fmt.Errorf("bind(2) %q: %w", name, err)
	}
	if err := unix.Listen(server, 1); err != nil {
		return nil, fmt.Errorf("listen(2): %w", err)
	}
	client, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket(2): %w", err)
	}
	return func() error { return unix.Connect(client, address) }, nil
}
