// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestTellsTheServiceManager(t *testing.T) {
	testenv.NeedRoot(t)
	for _, path := range []string{filepath.Join(testenv.PublicDir(t), "notify"), fmt.Sprintf("@landlockd-e2e-%d", os.Getpid())} {
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		d := startDaemon(t, daemonOptions{change: func(c *exec.Cmd) { c.Env = append(c.Env, "NOTIFY_SOCKET="+path) }})
		checkServingStage(t, d, servingUID(t))
		d.stop(t)
		told := receive(t, conn)
		var states []string
		for _, s := range told {
			for _, line := range strings.Split(s, "\n") {
				if strings.HasPrefix(line, "STATUS=") && len(line) > len("STATUS=") {
					line = "STATUS"
				}
				states = append(states, line)
			}
		}
		if want := []string{"STATUS", "READY=1", "STATUS", "STOPPING=1", "STATUS"}; !slices.Equal(states, want) {
			t.Errorf("%s was told %q", path, told)
		}
	}
}

// receive returns all datagrams that are there.
func receive(t *testing.T, conn *net.UnixConn) []string {
	t.Helper()
	var told []string
	b := make([]byte, 4096)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(pause)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return told
		}
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, string(b[:n]))
	}
}

// A service manager that went away is no reason to stop.
func TestServiceManagerGoes(t *testing.T) {
	testenv.NeedRoot(t)
	path := filepath.Join(testenv.PublicDir(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, daemonOptions{change: func(c *exec.Cmd) { c.Env = append(c.Env, "NOTIFY_SOCKET="+path) }})
	conn.Close()
	d.scrape(t)
	d.stop(t)
}

func TestSocketActivation(t *testing.T) {
	testenv.NeedRoot(t)
	addr := testenv.FreeAddress(t)
	d := startDaemon(t, daemonOptions{
		addr: addr, prefix: []string{self, roleArg, "activate", addr}, args: []string{"--web.systemd-socket", "--confine=require"},
	})
	checkServingStage(t, d, servingUID(t))
	if status, _ := d.try("/-/ready"); status != http.StatusOK {
		t.Errorf("/-/ready: %d", status)
	}
	d.stop(t)
}

// The service manager's watchdog is fed though nobody scrapes, by the process that it is
// for alone.
func TestWatchdog(t *testing.T) {
	testenv.NeedRoot(t)
	for name, c := range map[string]struct {
		env string
		fed bool
	}{
		"its own": {"WATCHDOG_PID=$$ WATCHDOG_USEC=200000", true},
		"anyone":  {"WATCHDOG_USEC=200000", true},
		"another": {"WATCHDOG_PID=1 WATCHDOG_USEC=200000", false},
		"none":    {"", false},
	} {
		path := filepath.Join(testenv.PublicDir(t), "notify")
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		d := startDaemon(t, daemonOptions{
			prefix: []string{"/bin/sh", "-c", "NOTIFY_SOCKET=" + path + " " + c.env + ` exec "$@"`, "sh"},
		})
		checkServingStage(t, d, servingUID(t))
		if c.fed {
			for range 5 {
				eventually(t, name+" is fed", func() bool { return nextState(t, conn) == "WATCHDOG=1" })
			}
		} else {
			time.Sleep(10 * pause)
		}
		d.stop(t)
		if told := receive(t, conn); slices.Contains(told, "WATCHDOG=1") && !c.fed {
			t.Errorf("%s: it was told %q", name, told)
		}
	}
	p := runWith(t, func(c *exec.Cmd) { c.Env = append(c.Env, "WATCHDOG_USEC=x") }, "--web.listen-address=127.0.0.1:0", apiFlag)
	checkRefusal(t, p, exitFailure, "WATCHDOG_USEC")
}

// nextState waits for a datagram.
func nextState(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}
