// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// limited is the command line of a program that may open so many files at a time.
func limited(t testing.TB, files int) []string {
	t.Helper()
	return []string{testenv.NeedTool(t, "prlimit"), fmt.Sprintf("--nofile=%d:%[1]d", files)}
}

// TestFewDescriptors: with whatever limit of open files, a command works, or says what it
// lacks. With less than 8 Go's runtime can end before main begins, when a library opens a
// file there.
func TestFewDescriptors(t *testing.T) {
	testenv.NeedRoot(t)
	for _, files := range []int{8, 9, 10, 12, 14, 16, 20, 24, 32, 63, 127} {
		checkRefusal(t, launch(t, nil, append(limited(t, files), landlockd, "once")...), exitFailure, fmt.Sprint(files), "128", "LimitNOFILE=")
	}
	for _, files := range []int{8, 16, 64, 511} {
		serve := append(limited(t, files), landlockd, "--web.listen-address="+testenv.FreeAddress(t), apiFlag)
		checkRefusal(t, launch(t, nil, serve...), exitFailure, fmt.Sprint(files), "512", "LimitNOFILE=")
	}
	shell := fmt.Sprint(stay(t, true, "sh", "-c", "echo ready; read x").cmd.Process.Pid)
	for _, command := range [][]string{{"once"}, {"once", "--format=json"}, {"services"}, {"ps"}, {"tree"}, {"doctor"}, {"explain", shell}} {
		p := launch(t, nil, append(append(limited(t, 128), landlockd), command...)...)
		if code := p.wait(t); code != 0 || strings.Contains(p.stdout.String()+p.stderr.String(), unix.EMFILE.Error()) {
			t.Errorf("%v: exit code %d: %s", command, code, &p.stderr)
		}
	}
}

// TestDescriptorsTaken: with the least limit that it starts with, and all connections taken
// that it gives, scans are made.
func TestDescriptorsTaken(t *testing.T) {
	d, _ := startWatched(t, daemonOptions{prefix: limited(t, 512), args: []string{"--confine=require"}})
	for range 255 {
		begin(t, d)
	}
	for range 5 {
		m := d.scrape(t)
		m.checkWitnesses(t)
		m.has(t, "process_max_fds", 512)
	}
	if log := d.stderr.String(); strings.Contains(log, unix.EMFILE.Error()) {
		t.Errorf("%.1000s", log)
	}
}
