// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/landlockd/landlockd/access"
	explaining "github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/sockets"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/sandbox"
)

const (
	makeReg     = 1 << 8
	resolveUnix = 1 << 16 // Linux 7.1
	abstractUDS = 1 << 0  // Linux 6.12
)

// datagrams ends the names of sockets that take them.
const datagrams = "-datagrams"

// checkSockets has processes in different sandboxes connect to sockets of a
// process outside, and compares the outcome with what was said before.
func checkSockets(t *T) {
	source := openIterator(t)
	abi, err := landlock.ABI()
	t.Must(err)
	top := filepath.Join("/tmp", "sockets")
	t.Must(os.MkdirAll(filepath.Join(top, "other"), 0o755))
	defer os.RemoveAll(top)
	path, abstract := filepath.Join(top, "s"), "landlockd-guest-sockets"
	for _, name := range []string{path, "@" + abstract} {
		l, err := net.Listen("unix", name)
		t.Must(err)
		defer l.Close()
		d, err := net.ListenPacket("unixgram", name+datagrams)
		t.Must(err)
		defer d.Close()
	}
	for _, c := range []struct {
		name           string
		abi            int
		handled        access.Rights
		below          string // a rule that grants fs.resolve_unix
		path, abstract bool   // reaches the socket
	}{
		{"nothing of sockets", 1, access.Rights{access.FS: makeReg}, "", true, true},
		{"abstract sockets", 6, access.Rights{access.FS: makeReg, access.Scope: abstractUDS}, "", true, false},
		{"sockets with a path", 9, access.Rights{access.FS: resolveUnix}, "", false, true},
		{"both", 9, access.Rights{access.FS: resolveUnix, access.Scope: abstractUDS}, "", false, false},
		{"sockets with a path, but this", 9, access.Rights{access.FS: resolveUnix}, top, true, true},
		{"sockets with a path, but others", 9, access.Rights{access.FS: resolveUnix}, filepath.Join(top, "other"), false, true},
	} {
		if c.abi > abi {
			t.Fact("left_out", fmt.Sprintf("%s: needs ABI %d, this is %d", c.name, c.abi, abi))
			continue
		}
		client := startClient(t, c.handled, c.below)
		snap := scanOnce(t, source)
		p := snap.Find(int32(client.pid))
		if p == nil {
			t.Fatalf("%s: process %d was not found", c.name, client.pid)
		}
		at, err := target.Open("/proc", p)
		t.Must(err)
		e := explaining.Of(snap, p)
		var all []sockets.Process
		for _, p := range snap.Processes {
			all = append(all, sockets.Process{PID: p.PID, Start: p.Start})
		}
		judge := sockets.NewJudge(e)
		gaps, err := sockets.See("/proc", at, all, judge.Add)
		at.Close()
		t.Must(err)
		said := judge.Result(gaps)
		for _, s := range []struct {
			name    string
			reached bool
		}{
			{path, c.path}, {"@" + abstract, c.abstract},
			{path + datagrams, c.path}, {"@" + abstract + datagrams, c.abstract},
		} {
			named := false
			for _, r := range said.Reachable {
				name := r.Name
				if r.Abstract {
					name = "@" + name
				}
				named = named || name == s.name && r.Datagram == strings.HasSuffix(name, datagrams)
			}
			if connects := client.connects(t, s.name); connects != s.reached || named != connects {
				t.Errorf("restricted in %s, to %s: connects %v, want %v; named %v (%+v)", c.name, s.name, connects, s.reached, named, *said)
			}
		}
		t.Fact("agrees", c.name)
	}
}

// client is a process in a sandbox that connects to what it is asked to.
type client struct {
	*sleeper
	in  *os.File
	out *bufio.Reader
}

func startClient(t *T, handled access.Rights, below string) *client {
	cmd := exec.Command(self, "boxed", fmt.Sprint(handled[access.FS]), fmt.Sprint(handled[access.Scope]), below)
	cmd.Stderr = os.Stderr
	r, w, err := os.Pipe()
	t.Must(err)
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	t.Must(err)
	t.Must(cmd.Start())
	r.Close()
	t.Cleanup(func() {
		w.Close()
		_ = cmd.Wait()
	})
	c := &client{&sleeper{pid: cmd.Process.Pid}, w, bufio.NewReader(out)}
	if line, err := c.out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("a process in a sandbox says %q: %v", line, err)
	}
	return c
}

func (c *client) connects(t *T, name string) bool {
	if _, err := fmt.Fprintln(c.in, name); err != nil {
		t.Fatalf("ask a process in a sandbox: %v", err)
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("ask a process in a sandbox: %v", err)
	}
	return line == "connected\n"
}

// boxed restricts itself and connects then: boxed FS SCOPE BELOW.
func boxed(args []string) {
	runtime.LockOSThread()
	fs, err := strconv.ParseUint(args[0], 10, 32)
	exit("boxed", err)
	scope, err := strconv.ParseUint(args[1], 10, 32)
	exit("boxed", err)
	layer := sandbox.Layer{Handled: access.Rights{access.FS: uint32(fs), access.Scope: uint32(scope)}}
	if args[2] != "" {
		layer.Files = map[string]uint32{args[2]: resolveUnix}
	}
	exit("boxed", sandbox.Sandbox{layer}.Enter())
	exit("boxed", syscall.Exec(self, []string{self, "connect"}, nil))
}

// connect connects to the sockets whose names it reads, one a line.
func connect([]string) {
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		name, network := strings.TrimSpace(in.Text()), "unix"
		if strings.HasSuffix(name, datagrams) {
			network = "unixgram"
		}
		c, err := net.Dial(network, name)
		if err == nil && network == "unixgram" {
			_, err = c.Write([]byte("x"))
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		c.Close()
		fmt.Println("connected")
	}
}
