// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/landlockd/landlockd/internal/thread"
)

// Running is a program that runs under strace.
type Running struct {
	Program
	home string
	cmd  *exec.Cmd
	// ended is closed when strace has ended; said is complete then.
	ended chan struct{}
	said  bytes.Buffer
	wait  func()
}

// Start starts a program of the tree. The directory is empty, and everybody may enter
// those above it. Call End.
func (t *Tree) Start(p Program, dir string) (*Running, error) {
	j := job{
		Program: p, Tree: t.Dir,
		Home: filepath.Join(dir, "home"), Empty: filepath.Join(dir, "empty"),
	}
	for _, d := range []string{j.Home, j.Empty} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	if !p.Root {
		if err := os.Chown(j.Home, nobody, nobody); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	r := &Running{Program: p, home: j.Home, ended: make(chan struct{})}
	r.cmd = exec.Command("/proc/self/exe")
	r.cmd.Env = append(os.Environ(), jobEnv+"="+string(text))
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Setsid: true,
	}
	r.cmd.WaitDelay = 5 * time.Second
	started := make(chan error)
	// It is killed when the thread ends that made it, so that one is kept.
	r.wait = thread.Run(func() {
		err := r.cmd.Start()
		started <- err
		if err == nil {
			_ = r.cmd.Wait()
		}
		close(r.ended)
	})
	if err := <-started; err != nil {
		r.wait()
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	return r, nil
}

// Said returns what the program and strace have said, once they have ended.
func (r *Running) Said() string {
	<-r.ended
	return r.said.String()
}

// Ended reports whether strace has ended.
func (r *Running) Ended() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// End kills strace, and with it all that it traces.
func (r *Running) End() {
	_ = r.cmd.Process.Kill()
	r.wait()
}

// Trace reads what strace has written until now.
func (r *Running) Trace() (Trace, error) { return ReadTrace(r.home, traces) }
