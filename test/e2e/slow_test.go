// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// startHolder starts a process of a user without privilege whose command line nobody can
// read as long as it runs, and returns its PID.
func startHolder(t *testing.T, program string) string {
	t.Helper()
	device, mount := fuse(t)
	var held string
	t.Cleanup(func() { // behind the end of the program
		eventually(t, "the process that held its lock is gone", func() bool {
			_, err := os.Stat("/proc/" + held)
			return held != "" && os.IsNotExist(err)
		})
	})
	p := startAsNobody(t, program, device, mount)
	if _, err := fmt.Sscanf(p.stdout.String(), "held %s\n", &held); err != nil {
		t.Fatalf("%q: %v", p.stdout.String(), err)
	}
	return held
}

// fuse makes the device, as it is on most hosts, whatever it is here, and a directory to mount
// at.
func fuse(t *testing.T) (device, mount string) {
	t.Helper()
	dir := testenv.PublicDir(t)
	device = filepath.Join(dir, "fuse")
	const mode, major, minor = unix.S_IFCHR | 0o666, 10, 229
	if err := unix.Mknod(device, mode, int(unix.Mkdev(major, minor))); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(device, 0o666); err != nil {
		t.Fatal(err)
	}
	mount = filepath.Join(dir, "mount")
	if err := unix.Mkdir(mount, 0o755); err != nil {
		t.Fatal(err)
	}
	return device, mount
}

// TestSlowCommandLine: one process whose command line cannot be read delays no scrape and
// no command for longer than a little, and makes nothing unknown but itself.
func TestSlowCommandLine(t *testing.T) {
	testenv.NeedRoot(t)
	own := ownProgram(t)
	runs(t, own)
	c := newConfig(t, "rules:\n  - {name: own, match: {cmdline: [\""+own+"*\"]}, grace: 0s}\n")
	d := startDaemon(t, daemonOptions{args: []string{c.flag(), "--scan.min-interval=0s"}})
	const violating = `landlock_rule_processes{result="violating",rule="own"}`
	d.scrape(t).has(t, violating, 1)

	program, err := attack.Holder(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		startHolder(t, program)
	}
	for range 5 {
		began := time.Now()
		// One that hangs is to show where: its log is then printed.
		stuck := time.AfterFunc(patience*3/4, func() { _ = d.cmd.Process.Signal(unix.SIGQUIT) })
		m := d.scrape(t)
		stuck.Stop()
		if took := time.Since(began); took > patience/2 {
			t.Errorf("a scrape took %s", took)
		}
		m.has(t, violating, 1)
		m.has(t, "landlockd_scan_success", 1)
	}
	for _, command := range [][]string{{"check", c.flag()}, {"once", c.flag()}} {
		began := time.Now()
		p := run(t, command...)
		if took := time.Since(began); took > patience*3/4 {
			t.Errorf("%s took %s", command[0], took)
		}
		if !strings.Contains(p.stdout.String(), "own") {
			t.Errorf("%s says nothing of the rule: %s %s", command[0], &p.stdout, &p.stderr)
		}
	}
}
