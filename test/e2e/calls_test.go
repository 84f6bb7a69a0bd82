// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestServingCalls has one daemon do much of what it can do at once: what it needs is
// allowed, which checkRefusals makes sure of as it does for every daemon.
func TestServingCalls(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	config := newConfig(t, "rules: [{name: sleepers, match: {comm: [sleep], cmdline: ['sleep *']}, expect: {state: [sandboxed]}}]\n")
	socket := filepath.Join(dir, "api.sock")
	d := startDaemon(t, daemonOptions{
		args: []string{
			config.flag(), "--web.enable-lifecycle", apiFlag + socket,
			"--scan.min-interval=0s", "--confine=require",
		},
	})
	m := d.scrape(t)
	m.has(t, `landlockd_confined{mechanism="seccomp"}`, 1)
	// All that can be asked for, in parallel, with processes that come and go.
	done := make(chan bool)
	for range 4 {
		go func() {
			defer func() { done <- true }()
			for range 10 {
				for _, path := range []string{"/metrics", "/", "/-/healthy", "/-/ready", "/no/such"} {
					d.try(path)
				}
				_ = run(t, "services", "--api.socket="+socket)
				_ = run(t, "explain", "--api.socket="+socket, "--no-paths", "1")
			}
		}()
	}
	for range 4 {
		<-done
	}
	d.hangUp(t)
	if resp, body := d.do(t, http.MethodPost, "/-/reload"); resp.StatusCode != http.StatusOK {
		t.Errorf("reload: %s %s", resp.Status, body)
	}
	time.Sleep(2 * time.Second)  // what Go's runtime does now and then
	d.signal(t, syscall.SIGQUIT) // of one that hangs, this shows where
	if code := d.wait(t); code != 2 || !strings.Contains(d.stderr.String(), "goroutine ") {
		t.Errorf("it ended with %d: %s", code, &d.stderr)
	}
}
