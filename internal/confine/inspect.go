// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
)

// Inspect reads back from the kernel how this process is confined, and compares with what
// was meant. Failed are failures that are known already: what the first stage handed on,
// [InspectKeyring]'s and that of the filter; their reasons are the more exact ones. But a
// call that failed is no failure if what it was for is read back of every thread. With an
// error, what could not be read is Unread.
func Inspect(goal Goal, failed ...Failure) (Status, error) {
	var s Status
	err := errors.Join(s.readThreads(goal), s.readProcess(goal))
	for _, f := range failed {
		// Whose filter it is that a thread has, its status does not show.
		readBack := f.Mechanism != Seccomp && slices.Contains(ofThreads(), f.Mechanism)
		if f.Reason != Holds && !(readBack && s[f.Mechanism] == Holds) {
			s[f.Mechanism] = f.Reason
		}
	}
	return s, err
}

// ofThreads returns the mechanisms that are a matter of each thread, and in its status.
func ofThreads() []Mechanism {
	return []Mechanism{Capabilities, Groups, NoNewPrivs, Seccomp, UserID}
}

// readThreads sets what is a matter of each thread.
func (s *Status) readThreads(goal Goal) error {
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		return errors.New("/proc/self/task: no threads found")
	}
	var all Status
	for _, m := range ofThreads() {
		all[m] = Holds
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread ended
		}
		if err != nil {
			return fmt.Errorf("this process's status: %w", err)
		}
		if err := all.addThread(b, goal); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	*s = all
	return nil
}

// addThread adds what /proc/[pid]/task/[tid]/status says of a thread.
func (s *Status) addThread(text procdir.Status, goal Goal) error {
	keep := capabilitySet(goal.Keep)
	strange := ^(uint64(keep[1])<<32 | uint64(keep[0]))
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"} {
		set, ok := text.Set(name)
		bounding := name == "CapBnd"
		switch {
		case !ok:
			return noLine(name)
		case set&strange != 0 && (!bounding || goal.Bounding):
			s.add(Capabilities, ReadBack)
		case set != 0 && !bounding:
			s.add(Capabilities, Kept)
		}
	}
	for _, of := range []struct {
		line      string
		mechanism Mechanism
		goal      int
	}{{"Uid", UserID, goal.UID}, {"Gid", Groups, goal.GID}} {
		want := uint32(of.goal)
		for i := range 4 { // real, effective, saved, of the file system
			id, ok := text.Number(of.line, i)
			switch {
			case !ok:
				return noLine(of.line)
			case of.goal < 0 && i == 0:
				want = id
			}
			if id == 0 {
				s.add(of.mechanism, Root)
			} else if id != want {
				s.add(of.mechanism, ReadBack)
			}
		}
	}
	groups, ok := text.Line("Groups")
	if !ok {
		return noLine("Groups")
	}
	for id := range bytes.FieldsSeq(groups) {
		if n, err := strconv.ParseUint(string(id), 10, 32); err != nil {
			return noLine("Groups")
		} else if n == 0 {
			s.add(Groups, Root)
		} else if goal.GID >= 0 {
			s.add(Groups, ReadBack)
		}
	}
	set, ok := text.Number("NoNewPrivs", 0)
	if !ok {
		return noLine("NoNewPrivs")
	}
	if set != 1 {
		s.add(NoNewPrivs, ReadBack)
	}
	mode, ok := text.Number("Seccomp", 0)
	if !ok { // there is no such line without CONFIG_SECCOMP
		s.add(Seccomp, Unsupported)
	} else if mode != unix.SECCOMP_MODE_FILTER {
		s.add(Seccomp, ReadBack)
	}
	return nil
}

func noLine(name string) error { return fmt.Errorf("no line %s that is understood", name) }

// readProcess sets what is a matter of the whole process. Nothing that the kernel can be
// asked shows a session keyring or a program's way into this process once calls are
// filtered: see the failures that Inspect is given.
func (s *Status) readProcess(goal Goal) error {
	s[Keyring], s[Dumpable], s[Landlock] = Holds, Holds, Holds
	if mode, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || mode != 0 {
		s[Dumpable] = ReadBack
	}
	if goal.NoLandlock {
		s[Landlock] = Kept
	} else if !deniedRoot() {
		s[Landlock] = ReadBack
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("this process's descriptors: %w", err)
	}
	s[Inherited] = Holds
	for _, f := range files {
		fd, err := strconv.Atoi(f.Name())
		if err != nil || fd <= unix.Stderr {
			continue
		}
		// What was handed on has been taken over, and goes no further. All that Go opens
		// goes no further either.
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			s[Inherited] = ReadBack
		}
	}
	return nil
}

// deniedRoot reports whether listing "/" is denied: outside of domains every user may.
// All threads are in one: they come from the one that was restricted. Which rights it denies,
// only others can see: the daemon looks at itself in a scan.
func deniedRoot() bool {
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return errors.Is(err, unix.EACCES)
}
