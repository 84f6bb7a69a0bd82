// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// A daemon that nobody asks sleeps: what would wake it once a second, or more often, is seen.
// Whatever is denied on the host meanwhile, or fills a table, wakes it too: so one of some
// stretches must be quiet.
func TestIdleDaemonSleeps(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{"--log.level=warn"}})
	settle(t, d)
	const stretch, most, stretches = 5 * time.Second, 4, 6
	var seen []int
	for range stretches {
		before := sleeps(t, d.cmd.Process.Pid)
		time.Sleep(stretch)
		n := sleeps(t, d.cmd.Process.Pid) - before
		if n <= most {
			t.Logf("woken %d times in %s", n, stretch)
			return
		}
		seen = append(seen, n)
	}
	t.Errorf("woken %v times in stretches of %s, want at most %d in one of them", seen, stretch, most)
}

// sleeps is how often threads of a process went to sleep by themselves.
func sleeps(t *testing.T, pid int) (n int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of process %d: %v", pid, err)
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			continue // the thread has ended
		}
		count, err := strconv.Atoi(statusLine(t, f, "voluntary_ctxt_switches"))
		if err != nil {
			t.Fatal(err)
		}
		n += count
	}
	return n
}

// What serves, and what finds assets beside it, need no exact timers: the thread by which Go's
// runtime watches the others would be woken for each 20 us of a scan.
func TestThreadsAreWokenLater(t *testing.T) {
	testenv.NeedRoot(t)
	const assets = "assets: [{name: etc, paths: [/etc], access: [write]}]\n"
	d := startDaemon(t, daemonOptions{args: []string{newConfig(t, assets).flag()}})
	settle(t, d)
	beside := checkBeside(t, d, dacReadSearch, "landlockd-paths")
	for _, pid := range []int{d.cmd.Process.Pid, beside} {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil || len(files) < 3 {
			t.Fatalf("threads of process %d: %q, %v", pid, files, err)
		}
		for _, f := range files {
			slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(f), "timerslack_ns"))
			if err != nil {
				t.Fatal(err)
			}
			if string(slack) != "1000000\n" {
				t.Errorf("thread %s may be woken %s ns late", f, slack)
			}
		}
	}
}
