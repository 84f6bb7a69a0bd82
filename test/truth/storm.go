// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// StormUser has no privilege, and the cgroup of a storm.
const StormUser = 65534

// StormOptions are how long a storm is, and what it is made of.
type StormOptions struct {
	// Processes is how many there are. For, whole seconds, is in its place unless it is 0.
	Processes int
	For       time.Duration
	// Cgroups is how many they are in, 0 for the storm's own. Programs is how many they execute.
	Cgroups, Programs int
}

// Storm is a user who ends as many processes as he can, in a cgroup that is called as a unit.
type Storm struct {
	// Path is that of its cgroup, and begins with "/".
	Path string
	// Done is closed when all have ended.
	Done <-chan struct{}

	cmd  *exec.Cmd
	dir  string // of its cgroup
	said string
	err  error
}

// StartStorm starts one of program, which test/attack builds (Swarm), and keeps what it executes
// below dir, which every user must be able to search. The caller closes it.
func StartStorm(program, dir string, o StormOptions) (*Storm, error) {
	host := cgroupfs.Find("/proc", "/sys/fs/cgroup")
	if host.V2 == "" {
		return nil, errors.New("start a storm: no cgroup2 is mounted below /sys/fs/cgroup")
	}
	removeOld(host.V2, time.Now().Add(-longestStorm))
	own, err := os.MkdirTemp(dir, "own")
	if err != nil {
		return nil, fmt.Errorf("start a storm: %w", err)
	}
	dir, err = os.MkdirTemp(host.V2, "storm-*.service")
	if err != nil {
		return nil, fmt.Errorf("start a storm: %w", err)
	}
	s := &Storm{Path: "/" + filepath.Base(dir), dir: dir}
	long := fmt.Sprint(o.Processes)
	if o.For != 0 {
		long = fmt.Sprintf("%ds", o.For/time.Second)
	}
	s.cmd = exec.Command(program, long, fmt.Sprint(o.Cgroups), fmt.Sprint(o.Programs), s.dir, own)
	if err := s.start(own); err != nil {
		return nil, errors.Join(fmt.Errorf("start a storm: %w", err), s.Close())
	}
	return s, nil
}

// longestStorm is longer than any lasts.
const longestStorm = 2 * time.Hour

// removeOld removes the cgroups of storms that were begun before a time: whoever began them was
// killed, and their thousands of cgroups would be in the way of other tests. What still has
// processes stays, and another test may remove the same: so no error matters.
func removeOld(root string, before time.Time) {
	dirs, _ := filepath.Glob(filepath.Join(root, "storm-*.service"))
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.ModTime().Before(before) {
			_ = removeCgroups(dir, unix.Rmdir)
		}
	}
}

// removeCgroups removes a cgroup and those in it, each by remove.
func removeCgroups(dir string, remove func(string) error) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(err, remove(dir))
}

func (s *Storm) start(own string) error {
	for _, name := range []string{own, s.dir, filepath.Join(s.dir, "cgroup.procs")} {
		if err := os.Chown(name, StormUser, StormUser); err != nil {
			return err
		}
	}
	at, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer at.Close()
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{
		UseCgroupFD: true, CgroupFD: int(at.Fd()),
		Credential: &syscall.Credential{Uid: StormUser, Gid: StormUser},
	}
	pipe, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return err
	}
	out := bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); err != nil || line != "ready\n" {
		return errors.Join(fmt.Errorf("it says %q", line), err, s.cmd.Wait())
	}
	done := make(chan struct{})
	s.Done = done
	go func() {
		defer close(done)
		s.said, s.err = out.ReadString('\n')
		s.err = errors.Join(s.err, s.cmd.Wait())
	}()
	return nil
}

// Owns reports whether a cell is the storm's: of its cgroups, or of those for whose runs there
// was no room at all.
func (s *Storm) Owns(c *runs.Cell) bool {
	return c.Cgroup == s.Path || strings.HasPrefix(c.Cgroup, s.Path+"/") ||
		c.Folded && c.CgroupID == 0 && c.CgroupV1ID == 0
}

// Ended waits until all have ended, and returns how many runs and launches there were, by kind
// and state, and what processor time they took.
func (s *Storm) Ended() (ended [2][4]uint64, cpu time.Duration, err error) {
	<-s.Done
	run, launch := &ended[runs.Run], &ended[runs.Launch]
	_, err = fmt.Sscan(s.said, &run[scan.Unsandboxed], &run[scan.Sandboxed],
		&launch[scan.Unsandboxed], &launch[scan.Sandboxed])
	if err = errors.Join(err, s.err); err != nil {
		return ended, 0, fmt.Errorf("a storm: %w", err)
	}
	// Its first process, which was the caller's before.
	run[scan.Unsandboxed]++
	launch[scan.Unsandboxed]++
	return ended, s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime(), nil
}

// Close removes its cgroups, once it has ended.
func (s *Storm) Close() error {
	return removeCgroups(s.dir, RemoveCgroup)
}
