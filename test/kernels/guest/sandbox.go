// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/sandbox"
)

// sleeper is a child process that does nothing, in a domain of known depth.
type sleeper struct {
	pid int
	// layers are what the layers of its domain handle, innermost last.
	layers []access.Rights
	in     io.Closer
	cmd    *exec.Cmd
}

// startSleepers starts a number of processes in one domain of the given depth;
// depth 0 is no domain. They end with the check.
func startSleepers(t *T, depth, n int) []*sleeper {
	var sleepers []*sleeper
	inDomain(t, depth, func() {
		for range n {
			s := startSleeper(t)
			for _, l := range sandbox.Harmless(depth) {
				s.layers = append(s.layers, l.Handled)
			}
			sleepers = append(sleepers, s)
		}
	})
	return sleepers
}

// inDomain calls f on a thread that is in a new domain of the given depth, and
// waits for it. The thread ends after it.
func inDomain(t *T, depth int, f func()) {
	ended := make(chan bool)
	ok := false
	go func() {
		defer func() { ended <- ok }()
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		if err := sandbox.Harmless(depth).Enter(); err != nil {
			t.Errorf("enter a domain of depth %d: %v", depth, err)
			return
		}
		f()
		ok = true
	}()
	if !<-ended {
		runtime.Goexit()
	}
}

// startSleeper starts a process in the domain of the calling thread.
func startSleeper(t *T) *sleeper { return startSleeperIn(t, 0) }

// startSleeperIn starts a process in new namespaces (CLONE_NEW*).
func startSleeperIn(t *T, namespaces uintptr) *sleeper {
	cmd := exec.Command(self, "sleep")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	s, err := newSleeper(cmd)
	if err != nil {
		t.Fatalf("start a process: %v", err)
	}
	t.Cleanup(s.stop)
	return s
}

func newSleeper(cmd *exec.Cmd) (*sleeper, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &sleeper{pid: cmd.Process.Pid, in: in, cmd: cmd}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		s.stop()
		return nil, fmt.Errorf("it did not say that it is ready: %w", err)
	}
	return s, nil
}

func (s *sleeper) stop() {
	s.in.Close()
	_ = s.cmd.Wait()
}
