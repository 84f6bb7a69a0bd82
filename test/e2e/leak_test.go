// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/exposition"
)

// holding is how much a daemon holds of what a request, a scan or a reload could leave behind.
type holding struct {
	files      []string // what its descriptors are
	goroutines float64  // 0 where its page does not say
}

func (d *daemon) holds(t testing.TB) holding {
	t.Helper()
	var h holding
	if _, page := d.try("/metrics"); page != "" {
		m, err := exposition.Parse(page)
		if err == nil {
			h.goroutines = m["go_goroutines"]
		}
	}
	descriptors := fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid)
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if file, err := os.Readlink(filepath.Join(descriptors, e.Name())); err == nil {
			h.files = append(h.files, file)
		}
	}
	return h
}

// leavesNothing fails the test unless a daemon that runs comes back to what it held when it
// was ready: whatever it was asked for meanwhile has ended. With -e2e.race it fails, too, if
// there was a race.
func (d *daemon) leavesNothing(t testing.TB) {
	t.Helper()
	if log := d.stderr.String(); strings.Contains(log, "WARNING: DATA RACE") {
		t.Errorf("a race: %s", log)
	}
	if d.ended() || t.Failed() {
		return
	}
	var now holding
	if !becomes(func() bool {
		now = d.holds(t)
		return len(now.files) <= len(d.before.files) && now.goroutines <= d.before.goroutines
	}) {
		d.signal(t, syscall.SIGQUIT) // it prints where each goroutine is
		d.wait(t)
		t.Errorf("it holds %d descriptors and %v goroutines, %d and %v when it was ready\ndescriptors: %q\nthen: %q\nits log: %s",
			len(now.files), now.goroutines, len(d.before.files), d.before.goroutines, now.files, d.before.files, &d.stderr)
	}
}
