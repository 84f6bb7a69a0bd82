// SPDX-License-Identifier: Apache-2.0

package provoke

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// Play is what a child process does, on its main thread: it prepares for a blocker
// in a directory, enters the domain and says "ready"; for each number that it reads
// it makes so many attempts and says "done".
func Play(blocker, dir string, in io.Reader, out io.Writer) error {
	p, err := Prepare(blocker, dir)
	if err != nil {
		return err
	}
	if err := p.Enter(); err != nil {
		return err
	}
	fmt.Fprintf(out, "ready\n")
	for lines := bufio.NewScanner(in); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		if err := p.Attempt(n); err != nil {
			return err
		}
		fmt.Fprintf(out, "done\n")
	}
	return nil
}

// Child is a process that plays, or guards audit.
type Child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err *strings.Builder // what it writes to standard error
}

// Start starts a command that calls Play with its standard input and output, and
// waits until it is in the domain.
func Start(cmd *exec.Cmd) (*Child, error) { return start(cmd, "ready") }

// start waits until the child says a word.
func start(cmd *exec.Cmd, word string) (*Child, error) {
	c := &Child{cmd: cmd}
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	c.err = &strings.Builder{}
	cmd.Stderr = c.err
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := c.expect(word); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// PID is its process.
func (c *Child) PID() int32 { return int32(c.cmd.Process.Pid) }

// Provoke has it make n attempts, and waits for them.
func (c *Child) Provoke(n int) error {
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		return err
	}
	return c.expect("done")
}

func (c *Child) expect(word string) error {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the child does not say %q: %w", word, err)
	}
	if strings.TrimSpace(line) != word {
		return fmt.Errorf("the child says %q, want %q", line, word)
	}
	return nil
}

// Stop ends it and returns how it ended.
func (c *Child) Stop() error {
	c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, c.err)
	}
	return nil
}
