// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/truth"
)

// attacked is one of the attacks: start begins it, and returns what ends it.
type attacked struct {
	name  string
	start func(*testing.T, *arena) (end func())
}

// arena is what attacks are made of.
type arena struct {
	churner, actor                      string // two, each of which has none of the other's processes
	crowd, forger, holder, hurry, snare string
	landlockd                           string
	daemon                              *daemon
	// source scans as the daemon does, for what is known of single processes.
	source scan.Source
	// look, if there is one, compares a scan with what the attack knows, and returns what is
	// false of it.
	look func() ([]string, error)
}

// Users without privilege: who attacks, and another one, who must not notice.
const (
	attacker = "65534"
	other    = "54321"
)

func newArena(t *testing.T, landlockd string, source scan.Source) *arena {
	t.Helper()
	dir := testenv.PublicDir(t)
	a := &arena{landlockd: landlockd, source: source}
	must := func(path string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	a.crowd, a.forger, a.holder = must(attack.Crowd(dir)), must(attack.Forger(dir)), must(attack.Holder(dir))
	a.hurry, a.snare = must(attack.Hurry(dir)), must(attack.Snare(dir))
	a.actor = must(truth.Build(t.Context(), testenv.PublicDir(t)))
	a.churner = must(truth.Build(t.Context(), testenv.PublicDir(t)))
	return a
}

// attacks are those of which somebody without privilege, or root in a privileged container,
// can make much, or make it last. What happens once, at a start or by a command, has tests of
// its own in test/e2e, and all that threads can be has some in test/truth: the kernel gives the
// workers that are among them PIDs of the first namespace.
func attacks() []attacked {
	program := func(of func(*arena) string, args ...string) func(*testing.T, *arena) func() {
		return func(t *testing.T, a *arena) func() { return a.start(t, of(a), args...) }
	}
	crowd := func(a *arena) string { return a.crowd }
	hurry := func(a *arena) string { return a.hurry }
	return []attacked{
		{"short lives", program(hurry, "lives", "20000")},
		{"renames", program(hurry, "renames", "8")},
		{"fork storm", program(hurry, "forks", "50")},
		{"1 000 names", program(hurry, "names", "1000", "DIR")},
		{"32 000 domains", program(crowd, "domains", "2000", "16")},
		{"threads' domains", program(crowd, "threads", "2000", "16")},
		{"roots and 65 535 rules", program(crowd, "roots", "200", "65535", "4", "DIR")},
		{"deep roots", program(crowd, "files", "20", "100", "16", "DIR")},
		{"forged and disguised", forge},
		{"command lines that hang", hold},
		{"explain of a snare", ensnare},
		{"slow and junk clients", junk},
		{"parallel scrapes", scrapeMuch},
		{"roots that are moved", swing},
	}
}

// start starts a program as the attacker; DIR stands for a directory that it may write to.
func (a *arena) start(t *testing.T, program string, args ...string) func() {
	t.Helper()
	command := []string{program}
	for _, arg := range args {
		if arg == "DIR" {
			arg = openDir(t)
		}
		command = append(command, arg)
	}
	p, ok := startAs(t, attacker, command...)
	if !ok {
		t.Logf("this kernel lacks what %q needs", args)
	}
	return p.end
}

func openDir(t *testing.T) string {
	t.Helper()
	dir := testenv.PublicDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// together ends several things at a time.
func together(ends []func()) func() {
	return func() {
		var all sync.WaitGroup
		for _, end := range ends {
			all.Go(end)
		}
		all.Wait()
	}
}

func forge(t *testing.T, a *arena) func() {
	t.Helper()
	var ends []func()
	for _, trick := range append(attack.Forgeries(), attack.Disguises()...) {
		ends = append(ends, a.start(t, a.forger, trick, "/usr/bin/true", "DIR"))
	}
	return together(ends)
}

// fuse makes the device and an empty directory to mount at.
func fuse(t *testing.T) (device, mount string) {
	t.Helper()
	dir := testenv.PublicDir(t)
	device, mount = filepath.Join(dir, "fuse"), filepath.Join(dir, "mount")
	const mode, major, minor = unix.S_IFCHR | 0o666, 10, 229
	for _, err := range []error{
		unix.Mknod(device, mode, int(unix.Mkdev(major, minor))), unix.Chmod(device, 0o666), os.Mkdir(mount, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return device, mount
}

func hold(t *testing.T, a *arena) func() {
	t.Helper()
	var ends []func()
	for range 3 {
		device, mount := fuse(t)
		ends = append(ends, a.start(t, a.holder, device, mount))
	}
	return together(ends)
}

// ensnare has root look at a process of which a look at its files never ends.
func ensnare(t *testing.T, a *arena) func() {
	t.Helper()
	device, mount := fuse(t)
	p, _ := startAs(t, "0", a.snare, "root", device, mount)
	var pid int
	await(t, "the snare has a process", func() bool {
		_, err := fmt.Sscanf(p.output.String(), "ready\n%d\n", &pid)
		return err == nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if out := a.explain(t, pid); !strings.Contains(out, "is sandboxed") {
			t.Errorf("explain of a snare: %s", out)
		}
	}()
	return func() { <-done; p.end() }
}

// junk connects often, and sends little, junk or much, of which it reads nothing.
func junk(t *testing.T, a *arena) func() {
	t.Helper()
	var ends []func()
	for i := range 90 {
		c, err := net.Dial("tcp", a.daemon.addr)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, func() { c.Close() })
		text := []string{
			"GET /metrics HTTP/1.1\r\nHost: x\r\nX-", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
			strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 50),
		}[i%3]
		_, _ = io.WriteString(c, text) // whatever becomes of it
	}
	return together(ends)
}

// scrapeMuch has 30 clients that scrape as often as they can.
func scrapeMuch(t *testing.T, a *arena) func() {
	t.Helper()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 30 {
		clients.Go(func() {
			client := newClient()
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if resp, err := client.Get("http://" + a.daemon.addr + "/metrics"); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() { close(stop); clients.Wait() }
}

// swing moves the root directories of sandboxed processes back and forth.
func swing(t *testing.T, a *arena) func() {
	t.Helper()
	s, err := truth.StartSwing(t.Context(), a.actor, uint64(time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	a.look = func() ([]string, error) {
		var sum truth.SwingVerdict
		_, err := s.Look(t.Context(), a.source, &sum)
		return sum.False, err
	}
	return func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
