// SPDX-License-Identifier: Apache-2.0

// Package confine turns a privileged process into one that never had a
// privilege.
//
// The daemon starts in two stages. The first loads programs, opens sockets and
// is as privileged as it was started. Then [Plan.Exec] makes one thread drop
// every capability, change user, set no_new_privs and restrict itself with
// Landlock, and that thread executes the program again: execve(2) ends all
// other threads, so that the second stage begins with one thread that is
// confined, and every thread it makes inherits that. The second stage checks
// with [Inspect] that it is so.
package confine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
)

// Goal is what a stage is meant to be, for [Plan.Exec] to do and [Inspect] to compare with.
type Goal struct {
	// UID and GID are what it runs as; -1 keeps what this process has.
	UID int `json:"uid"`
	GID int `json:"gid"`
	// Keep are capabilities that it keeps; none is the rule.
	Keep []int `json:"keep,omitempty"`
	// Bounding: the bounding set can be emptied, as whoever is to do so has CAP_SETPCAP.
	// Otherwise no_new_privs sees to it that nothing can be gained from that set.
	Bounding bool `json:"bounding,omitempty"`
	// NoLandlock leaves Landlock out: a reader of other processes' /proc
	// entries may only look at domains nested in its own.
	NoLandlock bool `json:"no_landlock,omitempty"`
}

// Plan is how the second stage is confined and what it is given.
type Plan struct {
	Goal
	// Failed is called for each mechanism that fails, with the cause; what it returns
	// ends Exec. Exec goes on with the others if that is nil. Without Failed, the cause
	// ends it.
	Failed func(Failure, error) error
	// ReadBelow are files and directories that it may read, with everything
	// below them. Those that do not exist are passed over.
	ReadBelow []string
	// ListBelow are directories in which it may read the names of files, with all
	// that is below them, but no file. For one that does not exist yet, the nearest
	// one above that does takes its place, unless that is the root directory.
	ListBelow []string
	// Files are inherited. They keep their numbers, which the second stage must
	// be given: another number may be one that Go's runtime polls.
	Files []*os.File
	// Args and Env are its arguments, with the program's name first, and its environment.
	Args, Env []string
}

// Rights of the rules: what may be done below a directory that is readable.
const (
	executeFile uint32 = 1 << 0
	readFile    uint32 = 1 << 2
	readDir     uint32 = 1 << 3
)

// Exec confines the calling thread and executes this program again. It only
// returns if that failed; the process is then in no state to go on.
func (p Plan) Exec() error {
	runtime.LockOSThread()
	self, err := openSelf()
	if err != nil {
		return err
	}
	program, ruleset := self, (*os.File)(nil)
	for _, step := range []struct {
		mechanism Mechanism
		do        func() error
	}{
		{Landlock, func() (err error) { ruleset, err = p.ruleset(self); return err }},
		{Dumpable, func() (err error) { program, err = p.untraceable(self); return err }},
		{Keyring, newKeyring},
		{Inherited, emptyStdin},
		{Inherited, leaveInherited},
		{Inherited, p.keepFiles},
		{Capabilities, p.prepareCapabilities},
		{Groups, p.changeGroups},
		{UserID, p.changeUser},
		{Capabilities, p.dropCapabilities},
		{NoNewPrivs, landlock.NoNewPrivs},
		{Landlock, func() error { return restrict(ruleset) }},
	} {
		if err := step.do(); err != nil {
			if p.Failed == nil {
				return err
			}
			if err := p.Failed(FailureOf(step.mechanism, err), err); err != nil {
				return err
			}
		}
	}
	err = execute(int(program.Fd()), p.Args, p.Env)
	runtime.KeepAlive(program)
	runtime.KeepAlive(self)
	runtime.KeepAlive(ruleset)
	runtime.KeepAlive(p.Files)
	return err
}

// restrict puts the calling thread in a domain, if there is a ruleset for it.
func restrict(ruleset *os.File) error {
	if ruleset == nil {
		return nil
	}
	return landlock.RestrictThread(int(ruleset.Fd()))
}

// openSelf opens this program. One that this user may execute but not read (mode
// 0711) is opened as a place only: that is enough to execute it again.
func openSelf() (*os.File, error) {
	const path = "/proc/self/exe"
	self, err := os.Open(path)
	if err == nil {
		return self, nil
	}
	fd, perr := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if perr != nil {
		return nil, fmt.Errorf("open this program: %w", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// untraceable returns this program as a file that the user that serves may
// execute but not read. The kernel makes the process of such a program not
// dumpable in execve(2) itself: between execve(2) and a prctl(2) of the new
// program, others with that user's ID (nobody has many) could trace it, or take
// its descriptors with pidfd_getfd(2). With an error, it returns self.
func (p Plan) untraceable(self *os.File) (*os.File, error) {
	st, err := self.Stat()
	if err != nil {
		return self, fmt.Errorf("stat this program: %w", err)
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	hidden := ok && st.Mode()&0o044 == 0 && int(sys.Uid) != p.UID
	if p.UID <= 0 || hidden {
		return self, nil // the same user, or a file that it cannot read anyhow
	}
	fd, err := unix.MemfdCreate("landlockd", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("landlockd", unix.MFD_CLOEXEC)
	}
	if err != nil { // vm.memfd_noexec=2, for example
		return self, fmt.Errorf("memfd_create(2) of a copy of this program that user %d cannot "+
			"read, without which others with that ID could trace it while it starts: %w "+
			"(or install it with mode 0711)", p.UID, err)
	}
	written := os.NewFile(uintptr(fd), "landlockd")
	defer written.Close()
	if err := copyFile(fd, self, st.Size()); err != nil {
		return self, fmt.Errorf("copy this program: %w", err)
	}
	// No file that is open for writing can be executed.
	program, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return self, fmt.Errorf("open the copy of this program: %w", err)
	}
	if err := written.Chmod(0o111); err != nil {
		return self, fmt.Errorf("chmod the copy of this program: %w", err)
	}
	return program, nil
}

// copyFile writes a file of a size to a descriptor, from the kernel's memory to its memory:
// io.Copy takes twice as long.
func copyFile(to int, from *os.File, size int64) error {
	for size > 0 {
		n, err := unix.Sendfile(to, int(from.Fd()), nil, int(min(size, 1<<30)))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("sendfile(2): %w", err)
		case n == 0:
			return io.ErrUnexpectedEOF
		}
		size -= int64(max(n, 0))
	}
	return nil
}

// ruleset denies everything that this kernel can deny, but for what the plan
// lists, this process's own entry in /proc and this program. It is nil if Landlock is
// left out.
func (p Plan) ruleset(self *os.File) (*os.File, error) {
	if p.NoLandlock {
		return nil, nil //nolint:nilnil // none is none
	}
	if _, err := landlock.ABI(); err != nil {
		return nil, err
	}
	rights := landlock.Rights().Sure
	fd, err := landlock.CreateRuleset(rights)
	if err != nil {
		return nil, err
	}
	rs := os.NewFile(uintptr(fd), "landlock-ruleset")
	run := rights[access.FS] & (executeFile | readFile)
	if err := landlock.AllowBeneath(fd, int(self.Fd()), run); err != nil {
		return nil, fmt.Errorf("rule for this program: %w", err)
	}
	for _, path := range append([]string{"/proc/self"}, p.ReadBelow...) {
		if err := allow(fd, path, rights[access.FS]&(readFile|readDir)); err != nil {
			return nil, err
		}
	}
	for _, path := range p.ListBelow {
		if path = nearest(path); path == "" {
			continue
		}
		if err := allow(fd, path, rights[access.FS]&readDir); err != nil {
			return nil, err
		}
	}
	loader, err := dynamic()
	if err != nil {
		return nil, err
	}
	if loader {
		for _, path := range libraryPaths() {
			if err := allow(fd, path, rights[access.FS]&(executeFile|readFile|readDir)); err != nil {
				return nil, err
			}
		}
	}
	return rs, nil
}

// nearest returns a directory, or if it does not exist the nearest one above that
// does; empty if that is the root directory.
func nearest(path string) string {
	for path = filepath.Clean(path); path != "/" && path != "."; path = filepath.Dir(path) {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			return path
		}
	}
	return ""
}

// allow grants rights on a path and below it, if it is there.
func allow(ruleset int, path string, rights uint32) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // absent, or not for us: the second stage reads nothing there
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= access.OnFiles()[access.FS]
	}
	if err := landlock.AllowBeneath(ruleset, fd, rights); err != nil {
		return fmt.Errorf("rule for %s: %w", path, err)
	}
	return nil
}

// keepFiles lets only the files pass through execve(2): what this process inherited
// unasked is closed there. No descriptor is moved: other threads still run, and the
// runtime polls descriptors of its own.
func (p Plan) keepFiles() error {
	const afterStandardError = 3
	err := unix.CloseRange(afterStandardError, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err != nil {
		err = fmt.Errorf("close_range(2): %w", err)
	}
	for _, f := range p.Files {
		if _, e := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); e != nil {
			err = errors.Join(err, fmt.Errorf("keep descriptor of %s: %w", f.Name(), e))
		}
	}
	return err
}

// prepareCapabilities does what must come before the user changes. It, and what follows,
// acts on the calling thread alone: package syscall's wrappers would change every thread,
// which is slower and not needed.
func (p Plan) prepareCapabilities() error {
	keep := capabilitySet(p.Keep)
	for c := 0; c < 64 && p.Bounding; c++ { // those included that nobody has named yet
		if keep[c/32]&(1<<(c%32)) == 0 {
			// Inspect sees what is left; there is an error for each that this kernel has not.
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	if len(p.Keep) > 0 {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("prctl(PR_SET_KEEPCAPS): %w", err)
		}
	}
	return nil
}

// dropCapabilities leaves those to be kept.
func (p Plan) dropCapabilities() error {
	keep := capabilitySet(p.Keep)
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{}
	for i := range data {
		data[i] = unix.CapUserData{Effective: keep[i], Permitted: keep[i], Inheritable: keep[i]}
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	for _, c := range p.Keep {
		err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0)
		if err != nil {
			return fmt.Errorf("keep capability %d: %w", c, err)
		}
	}
	return nil
}

func capabilitySet(caps []int) (set [2]uint32) {
	for _, c := range caps {
		set[c/32] |= 1 << (c % 32)
	}
	return set
}

func (p Plan) changeGroups() error {
	if p.GID < 0 {
		return nil
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return fmt.Errorf("drop supplementary groups: %w", errno)
	}
	id := uintptr(p.GID)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); errno != 0 {
		return fmt.Errorf("change group to %d: %w", p.GID, errno)
	}
	return nil
}

func (p Plan) changeUser() error {
	if p.UID < 0 {
		return nil
	}
	id := uintptr(p.UID)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
		return fmt.Errorf("change user to %d: %w", p.UID, errno)
	}
	return nil
}

// execute is fexecve(3): the program need not be reachable by its path, which
// may lie below a directory that the new user cannot search.
func execute(program int, args, env []string) error {
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	empty := [1]byte{}
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT,
		uintptr(program), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])), unix.AT_EMPTY_PATH, 0)
	runtime.KeepAlive(argv)
	runtime.KeepAlive(envp)
	if errno == unix.EACCES {
		return fmt.Errorf("execute this program again: %w (its file must be executable for the "+
			"user that serves)", errno)
	}
	return fmt.Errorf("execute this program again: %w", errno)
}
