// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// sleepers starts a program that makes processes, and waits until they are there. What is
// returned ends it, once, and returns what it said since.
func sleepers(b *testing.B, program string, args ...string) (end func() string) {
	b.Helper()
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	pipe, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	end = sync.OnceValue(func() string {
		in.Close()
		said, _ := io.ReadAll(out)
		if err := c.Wait(); err != nil {
			b.Errorf("%s: %v", filepath.Base(program), err)
		}
		return string(said)
	})
	b.Cleanup(func() { end() })
	if line, err := out.ReadString('\n'); line != "ready\n" {
		b.Fatalf("%s says %q: %v", filepath.Base(program), line, err)
	}
	return end
}
