// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// closeTimeout bounds how long the coordinator may take to end everything.
const closeTimeout = 30 * time.Second

// coordinator is the actor's first process. It ends when its standard input
// does, even if this process is killed, and only after it has reaped every
// descendant.
type coordinator struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr bytes.Buffer
	dir    string
	closed bool
}

// start runs the actor and returns what it prints until the line end, which is
// the last byte that it prints.
func start(ctx context.Context, bin string, files []*os.File, args ...string) (*coordinator, []byte, error) {
	c := &coordinator{cmd: exec.Command(bin, args...), dir: filepath.Dir(bin)}
	c.cmd.Stderr = &c.stderr
	c.cmd.ExtraFiles = files
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start the actor: %w", err)
	}
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start the actor: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the actor: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = stdin.Close() })
	defer stop()
	out, err := readDocument(stdout)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start the actor: %w", errors.Join(err, c.close()))
	}
	return c, out, nil
}

// readDocument reads up to the line that ends with "}" and a line feed after
// everything opened has been closed.
func readDocument(r io.Reader) ([]byte, error) {
	var doc []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		doc = append(doc, buf[:n]...)
		if bytes.HasSuffix(doc, []byte("}\n")) && bytes.Count(doc, []byte("{")) == bytes.Count(doc, []byte("}")) {
			return doc, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it ended before it had said anything: %w", err)
		}
	}
}

func (c *coordinator) close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	_ = c.stdin.Close()
	// Killing it is the last resort: what is left then ends by itself, for it
	// watches a pipe that hangs up with the coordinator.
	t := time.AfterFunc(closeTimeout, func() { _ = c.cmd.Process.Kill() })
	err := c.cmd.Wait()
	t.Stop()
	if err != nil {
		err = fmt.Errorf("the actor: %w: %s", err, strings.TrimSpace(c.stderr.String()))
	}
	return errors.Join(err, c.nothingLeft())
}

// nothingLeft looks for processes that execute a file of the actor's folder.
func (c *coordinator) nothingLeft() error {
	var left []int
	// After a kill of the coordinator, what is left needs a moment to notice.
	for range 100 {
		left = left[:0]
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return fmt.Errorf("look for processes that are left: %w", err)
		}
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			exe, err := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
			if err == nil && filepath.Dir(exe) == c.dir {
				left = append(left, pid)
			}
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("processes of the actor are left: %v", left)
}
