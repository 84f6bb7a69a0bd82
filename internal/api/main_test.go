// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// playRole as the first argument makes this test binary play the role that is the
// second.
const playRole = "play"

// The main goroutine has the main thread.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != playRole {
		os.Exit(m.Run())
	}
	if err := play(os.Args[2], os.Args[3:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(role string, args []string) error {
	switch role {
	case "ask": // SOCKET PATH
		return askAndTell(args)
	case "ask-as-nobody":
		if err := impersonateNobody(); err != nil {
			return err
		}
		return askAndTell(args)
	case "see": // SOCKET PID...
		return see(args)
	case "see-beside-two": // and a process in its own domain, and one that is nested in it
		return seeBesideTwo(args)
	case "see-in-a-domain":
		if err := sandbox.Harmless(1).Enter(); err != nil {
			return err
		}
		return syscall.Exec("/proc/self/exe", append([]string{"see", playRole, "see-beside-two"}, args...), nil)
	case "cat-in-a-domain":
		if err := sandbox.Harmless(1).Enter(); err != nil {
			return err
		}
		return syscall.Exec("/bin/cat", []string{"cat"}, nil)
	case "hide-as-nobody": // no longer dumpable
		if err := impersonateNobody(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "ask-as-nobody-for-three-seconds": // as often as it can
		if err := impersonateNobody(); err != nil {
			return err
		}
		var asking sync.WaitGroup
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		for range 2 * maxOfUser {
			asking.Go(func() {
				for ctx.Err() == nil {
					_, _ = AskSnapshot(ctx, args[0])
				}
			})
		}
		asking.Wait()
		// The server may not have seen yet that the connections are over, and refuse one more.
		for tries := 1; ; tries++ {
			if err := askAndTell(args); !errors.Is(err, io.EOF) || tries == 100 {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	case "ask-in-a-domain":
		if err := sandbox.Harmless(1).Enter(); err != nil {
			return err
		}
		return syscall.Exec("/proc/self/exe", append([]string{"ask", playRole, "ask"}, args...), nil)
	case "ask-with-one-thread-in-a-domain":
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			done <- sandbox.Harmless(1).Enter()
			select {}
		}()
		if err := <-done; err != nil {
			return err
		}
		return askAndTell(args)
	case "ask-before-and-after-a-domain":
		c, err := net.Dial("unix", args[0])
		if err != nil {
			return err
		}
		if err := askAndTell(args); err != nil {
			return err
		}
		if err := sandbox.Harmless(1).Enter(); err != nil {
			return err
		}
		return request(c, args[1])
	case "ask-for-one-that-ended":
		c, err := net.Dial("unix", args[0])
		if err != nil {
			return err
		}
		f, err := c.(*net.UnixConn).File()
		if err != nil {
			return err
		}
		cmd := exec.Command("/proc/self/exe", playRole, "ask-by-descriptor", strconv.Itoa(os.Getpid()), args[1])
		cmd.ExtraFiles, cmd.Stdout = []*os.File{f}, os.Stdout
		return cmd.Start()
	case "ask-by-descriptor": // PID PATH
		if err := awaitEnd(args[0]); err != nil {
			return err
		}
		c, err := net.FileConn(os.NewFile(3, "connection"))
		if err != nil {
			return err
		}
		return request(c, args[1])
	case "listen-as-nobody": // SOCKET
		if err := impersonateNobody(); err != nil {
			return err
		}
		l, err := Listen(args[0])
		if err != nil {
			return err
		}
		fmt.Println("ready")
		c, err := l.Accept()
		if err != nil {
			return err
		}
		b, err := io.ReadAll(c)
		fmt.Printf("was asked %d bytes\n", len(b))
		return err
	}
	return fmt.Errorf("no role %q", role)
}

// awaitEnd waits until a process has ended, in all its threads.
func awaitEnd(number string) error {
	pid, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if n == 1 || err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func impersonateNobody() error {
	return errors.Join(syscall.Setgroups(nil), syscall.Setresgid(65534, 65534, 65534), syscall.Setresuid(65534, 65534, 65534))
}

// askAndTell prints what and how many of that a server answers with, or why it does not.
func askAndTell(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	socket, n := args[0], 0
	var err error
	switch args[1] {
	case runsPath:
		var r *Runs
		if r, err = AskRuns(ctx, socket, 0); err == nil {
			n = len(r.Runs)
		}
	case snapshotPath:
		var s *scan.Snapshot
		if s, err = AskSnapshot(ctx, socket); err == nil && s.Find(int32(os.Getpid())) != nil {
			n = 1 // the caller, at least
		} else if err == nil && os.Getpid() == 1 {
			n = 1 // in a PID namespace of its own
		}
	default:
		var d *Denials
		if d, err = AskDenials(ctx, socket, 0); err == nil {
			n = len(d.Denials)
		}
	}
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		fmt.Println(refused.Status, refused.Word)
		return nil
	case err != nil:
		return err
	}
	fmt.Println(http.StatusOK, n)
	return nil
}

// request makes the request on a connection that is there.
func request(c net.Conn, path string) error {
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Error string }
	if err := decode(resp.Body, &answer); err != nil {
		return err
	}
	fmt.Println(resp.StatusCode, answer.Error)
	return nil
}
