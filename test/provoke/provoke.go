// SPDX-License-Identifier: Apache-2.0

// Package provoke makes Landlock deny accesses, as many as asked for and for one
// reason at a time. It is for tests.
package provoke

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
)

// kind is one blocker and how to meet it.
type kind struct {
	// handled is what the domain handles: the right itself, or for what is no
	// right anything.
	handled access.Rights
	// prepare makes what attempt needs, outside the domain, and returns it.
	prepare func(dir string) (attempt func() error, err error)
	want    unix.Errno
}

// Kinds returns the names of the blockers of a kernel that has some rights, but for
// rights that the table does not name. All of them can be provoked.
func Kinds(rights access.Rights) []string {
	var names []string
	for _, r := range access.All() {
		if r.In(rights) {
			names = append(names, r.Name)
		}
	}
	return append(names, "ptrace", "fs.change_topology")
}

// Denials is the number of denials that n attempts make, at most and at least. The
// kernel reports both directories when a link from one to another is denied.
func Denials(blocker string, n uint64) (least, most uint64) {
	if blocker == "fs.refer" {
		return n, 2 * n
	}
	return n, n
}

// Prepared is a domain that is about to be entered.
type Prepared struct {
	kind    kind
	ruleset int
	attempt func() error
}

// Prepare makes all that a blocker needs, in a directory that is empty. Some need
// root.
func Prepare(blocker, dir string) (*Prepared, error) {
	k, ok := kindOf(blocker)
	if !ok {
		return nil, fmt.Errorf("%s cannot be provoked", blocker)
	}
	p := &Prepared{kind: k}
	var err error
	if p.attempt, err = k.prepare(dir); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", blocker, err)
	}
	if p.ruleset, err = landlock.CreateRuleset(k.handled); err != nil {
		return nil, err
	}
	return p, nil
}

// Enter locks the goroutine to its thread and puts that in the domain, for ever.
func (p *Prepared) Enter() error {
	runtime.LockOSThread()
	if err := landlock.NoNewPrivs(); err != nil {
		return err
	}
	return landlock.RestrictThread(p.ruleset)
}

// Attempt tries n times on the thread that entered, and fails unless each time is
// denied by Landlock's error.
func (p *Prepared) Attempt(n int) error {
	for i := range n {
		if err := p.attempt(); !errors.Is(err, p.kind.want) {
			return fmt.Errorf("attempt %d: %v, want %v", i, err, p.kind.want) //nolint:errorlint // it may be nil
		}
	}
	return nil
}

func kindOf(blocker string) (kind, bool) {
	switch blocker {
	case "ptrace":
		return kind{access.Rights{access.FS: 1}, tracing, unix.EPERM}, true
	case "fs.change_topology":
		return kind{access.Rights{access.FS: 1}, mounting, unix.EPERM}, true
	}
	right, ok := access.Lookup(blocker)
	if !ok {
		return kind{}, false
	}
	prepare := preparations()[blocker]
	want := unix.EACCES
	switch {
	case blocker == "fs.refer":
		want = unix.EXDEV
	case right.Class == access.Scope:
		want = unix.EPERM
	}
	return kind{right.Rights(), prepare, want}, prepare != nil
}

func preparations() map[string]func(string) (func() error, error) {
	node := func(mode uint32) func(string) (func() error, error) {
		return func(dir string) (func() error, error) {
			path := filepath.Join(dir, "new")
			return func() error { return unix.Mknod(path, mode|0o600, int(unix.Mkdev(1, 3))) }, nil
		}
	}
	return map[string]func(string) (func() error, error){
		"fs.execute": func(dir string) (func() error, error) {
			path, err := file(dir)
			if err != nil {
				return nil, err
			}
			if err := os.Chmod(path, 0o700); err != nil {
				return nil, err
			}
			return func() error { return execute(path) }, nil
		},
		"fs.write_file":   opening(file, unix.O_WRONLY),
		"fs.read_file":    opening(file, unix.O_RDONLY),
		"fs.read_dir":     opening(directory, unix.O_RDONLY|unix.O_DIRECTORY),
		"fs.remove_dir":   on(directory, unix.Rmdir),
		"fs.remove_file":  on(file, unix.Unlink),
		"fs.make_char":    node(unix.S_IFCHR),
		"fs.make_dir":     on(absent, func(path string) error { return unix.Mkdir(path, 0o700) }),
		"fs.make_reg":     node(unix.S_IFREG),
		"fs.make_sock":    node(unix.S_IFSOCK),
		"fs.make_fifo":    node(unix.S_IFIFO),
		"fs.make_block":   node(unix.S_IFBLK),
		"fs.make_sym":     on(absent, func(path string) error { return unix.Symlink("to", path) }),
		"fs.refer":        linking,
		"fs.truncate":     on(file, func(path string) error { return unix.Truncate(path, 0) }),
		"fs.ioctl_dev":    controlling,
		"fs.resolve_unix": pathSocket,

		"net.bind_tcp":         socket(unix.SOCK_STREAM, unix.Bind),
		"net.connect_tcp":      socket(unix.SOCK_STREAM, unix.Connect),
		"net.bind_udp":         socket(unix.SOCK_DGRAM, unix.Bind),
		"net.connect_send_udp": socket(unix.SOCK_DGRAM, unix.Connect),

		"scope.abstract_unix_socket": abstractSocket,
		"scope.signal": func(string) (func() error, error) {
			parent := os.Getppid()
			return func() error { return unix.Kill(parent, 0) }, nil
		},
	}
}
