// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
)

// Status is how this process is confined, read back from the kernel. Each is
// true only if it holds for every thread.
type Status struct {
	// Capabilities: the permitted, effective, inheritable and ambient sets are empty.
	Capabilities bool
	// Stray: a capability is held that was not meant to be kept.
	Stray bool
	// NoNewPrivs is set.
	NoNewPrivs bool
	// User is not root.
	User bool
	// Seccomp: system calls are filtered.
	Seccomp bool
	// Landlock keeps this process from what its domain does not allow.
	Landlock bool
}

// Mechanisms returns the status by name, as label values.
func (s Status) Mechanisms() map[string]bool {
	return map[string]bool{
		"capabilities": s.Capabilities, "no_new_privs": s.NoNewPrivs, "user": s.User,
		"seccomp": s.Seccomp, "landlock": s.Landlock,
	}
}

// Missing returns the names of what does not hold, and was meant to.
func (s Status) Missing() []string {
	held := s.Mechanisms()
	held["capabilities"] = !s.Stray
	names := []string{"capabilities", "no_new_privs", "user", "seccomp", "landlock"}
	return slices.DeleteFunc(names, func(name string) bool { return held[name] })
}

// Inspect reads how this process is confined, keep being the capabilities that
// it may have.
func Inspect(keep []int) (Status, error) {
	s := Status{Capabilities: true, NoNewPrivs: true, User: true, Seccomp: true}
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		return Status{}, errors.New("/proc/self/task: no threads found")
	}
	want := capabilitySet(keep)
	allowed := uint64(want[1])<<32 | uint64(want[0])
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread ended
		}
		if err != nil {
			return Status{}, fmt.Errorf("this process's status: %w", err)
		}
		t, err := parseStatus(b)
		if err != nil {
			return Status{}, fmt.Errorf("%s: %w", f, err)
		}
		s.Capabilities = s.Capabilities && t.capabilities == 0
		s.Stray = s.Stray || t.capabilities&^allowed != 0
		s.NoNewPrivs = s.NoNewPrivs && t.noNewPrivs
		s.User = s.User && !t.root
		s.Seccomp = s.Seccomp && t.filtered
	}
	s.Landlock = deniedRoot()
	return s, nil
}

// deniedRoot reports whether listing "/" is denied: outside of domains every user may.
// All threads are in one: they come from the one that was restricted.
func deniedRoot() bool {
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return errors.Is(err, unix.EACCES)
}

// threadStatus is what /proc/[pid]/task/[tid]/status has on privileges.
type threadStatus struct {
	capabilities uint64 // in any set but the bounding one
	noNewPrivs   bool
	root         bool // any of the four user IDs is 0
	filtered     bool // a filter restricts its system calls
}

func parseStatus(text procdir.Status) (threadStatus, error) {
	var t threadStatus
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		set, ok := text.Set(name)
		if !ok {
			return t, fmt.Errorf("no line %s that is understood", name)
		}
		t.capabilities |= set
	}
	for i := range 4 { // real, effective, saved, of the file system
		id, ok := text.Number("Uid", i)
		if !ok {
			return t, errors.New("no line Uid that is understood")
		}
		t.root = t.root || id == 0
	}
	n, ok := text.Number("NoNewPrivs", 0)
	if !ok {
		return t, errors.New("no line NoNewPrivs that is understood")
	}
	t.noNewPrivs = n == 1
	mode, ok := text.Number("Seccomp", 0) // there is no such line without CONFIG_SECCOMP
	t.filtered = ok && mode == unix.SECCOMP_MODE_FILTER
	return t, nil
}
