// SPDX-License-Identifier: Apache-2.0

package apart

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/internal/thread"
)

// ErrLate is the error of a child that did not answer in time.
var ErrLate = errors.New("something that was looked at does not answer")

// Ask has a child answer a question, calls each for every answer, and returns what could not
// be looked at, in words. It takes no longer than limit, whatever the child waits for; the
// error is then ErrLate, and the answers that came are good.
func (q *Question) Ask(limit time.Duration, each func(*Answer)) (gaps []string, err error) {
	wait := thread.Run(func() { gaps, err = q.ask(limit, each) })
	wait()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("given up after %s: %w", limit.Round(time.Second/10), ErrLate)
	}
	return gaps, err
}

// ask runs on a thread of its own: the child inherits what this gives up, and is killed when
// this thread ends.
func (q *Question) ask(limit time.Duration, each func(*Answer)) (gaps []string, err error) {
	if err := q.giveUp(); err != nil {
		return nil, err
	}
	end := time.Now().Add(limit)
	stdin, question, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer question.Close()
	defer stdin.Close()
	answers, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	defer stdout.Close()
	stderr, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	child, err := os.StartProcess("/proc/self/exe", []string{"landlockd", Command}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{stdin, stdout, stderr},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL},
	})
	if err != nil {
		return nil, fmt.Errorf("start a process that looks: %w", err)
	}
	// It is not waited for: it may be where no signal ends it.
	defer func() { _ = child.Kill() }()
	stdin.Close()
	stdout.Close()
	if err := errors.Join(question.SetWriteDeadline(end), answers.SetReadDeadline(end)); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(question).Encode(q); err != nil {
		return nil, fmt.Errorf("ask the process that looks: %w", err)
	}
	return q.read(answers, each)
}

// giveUp takes from the calling thread what the child has no use for. To see sockets as the
// process does takes its user and its capabilities, whichever these are.
func (q *Question) giveUp() error {
	const firstInherited = 3
	if err := unix.CloseRange(firstInherited, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range(2): %w", err)
	}
	if q.Holders != nil {
		return landlock.NoNewPrivs()
	}
	return confine.Thread([]int{unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER})
}
