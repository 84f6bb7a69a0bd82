// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/sandbox"
	"github.com/landlockd/landlockd/test/testenv"
)

// boxRole executes a program in one domain: box RULES PROGRAM..., RULES being
// "fs=0x2,net=0x2,scope=0x1,below=0x2:/tmp,port=0x2:53", as masks of rights.
func boxRole(args []string) error {
	box := sandbox.Layer{Files: map[string]uint32{}, Ports: map[uint16]uint32{}}
	for item := range strings.SplitSeq(args[0], ",") {
		key, value, _ := strings.Cut(item, "=")
		number, object, _ := strings.Cut(value, ":")
		mask, err := strconv.ParseUint(number, 0, 32)
		if err != nil {
			return err
		}
		switch key {
		case "fs":
			box.Handled[access.FS] = uint32(mask)
		case "net":
			box.Handled[access.Net] = uint32(mask)
		case "scope":
			box.Handled[access.Scope] = uint32(mask)
		case "below":
			box.Files[object] = uint32(mask)
		case "port":
			port, err := strconv.ParseUint(object, 10, 16)
			if err != nil {
				return err
			}
			box.Ports[uint16(port)] = uint32(mask)
		default:
			return fmt.Errorf("no rule %q", item)
		}
	}
	runtime.LockOSThread()
	if err := (sandbox.Sandbox{box}).Enter(); err != nil {
		return err
	}
	return execute(args[1:])
}

// abstractServerRole makes the files that it is asked for at an abstract socket.
func abstractServerRole(args []string) error {
	l, err := net.Listen("unix", "@"+args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		path, err := bufio.NewReader(c).ReadString('\n')
		if err == nil {
			err = os.WriteFile(strings.TrimSpace(path), nil, 0o600)
		}
		fmt.Fprintln(c, err)
		c.Close()
	}
}

// abstractClientRole asks for a file.
func abstractClientRole(args []string) error {
	c, err := net.Dial("unix", "@"+args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(c, args[1])
	_, err = io.ReadAll(c)
	return err
}

// boxedShell is a shell in a sandbox that runs the commands it is given.
type boxedShell struct {
	pid    int
	stdin  io.Writer
	stdout *bufio.Reader
}

// newBoxedShell starts one; see boxRole.
func newBoxedShell(t *testing.T, rules string) *boxedShell {
	t.Helper()
	return newBoxedShellAs(t, 0, rules)
}

// newBoxedShellAs starts one as another user.
func newBoxedShellAs(t *testing.T, uid uint32, rules string) *boxedShell {
	t.Helper()
	setpriv := testenv.NeedTool(t, "setpriv") // this program is where other users cannot execute it
	cmd := exec.Command(self, roleArg, "box", rules, setpriv, fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", uid), "--clear-groups", "sh", "-c", `echo ready; while read -r line; do eval "$line" >/dev/null; echo $?; done`)
	cmd.Env, cmd.Stderr = cleanEnv(), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	b := &boxedShell{cmd.Process.Pid, stdin, bufio.NewReader(stdout)}
	if answer := b.read(t); answer != "ready" {
		t.Fatalf("the shell in the sandbox says %q", answer)
	}
	return b
}

func (b *boxedShell) read(t *testing.T) string {
	t.Helper()
	answer := make(chan string, 1)
	go func() {
		line, _ := b.stdout.ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		return line
	case <-time.After(patience):
		t.Fatal("the shell in the sandbox does not answer")
		return ""
	}
}

// do runs a command in the sandbox and reports whether it succeeded.
func (b *boxedShell) do(t *testing.T, command string) bool {
	t.Helper()
	fmt.Fprintln(b.stdin, command)
	return b.read(t) == "0"
}
