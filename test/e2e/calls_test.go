// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestServingCalls traces all that the serving stage calls from its filter on, while it
// does all that it can do: what it needs is allowed, or a Go release that calls something
// new would fail in a fleet. The rows of the table are in internal/seccomp.
func TestServingCalls(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	config := newConfig(t, "rules: [{name: sleepers, match: {comm: [sleep], cmdline: ['sleep *']}, expect: {state: [sandboxed]}}]\n")
	socket := filepath.Join(dir, "api.sock")
	d := startDaemon(t, daemonOptions{
		prefix: []string{"strace", "-D", "-f", "-q", "-o", trace},
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
	time.Sleep(2 * time.Second) // what Go's runtime does now and then
	d.signal(t, syscall.SIGTERM)
	if code := d.wait(t); code != 0 {
		t.Errorf("it ended with %d: %s", code, &d.stderr)
	}
	calls, refused := servingCalls(t, trace)
	if calls < 1000 {
		t.Errorf("only %d calls were traced", calls)
	}
	for line, n := range refused {
		t.Errorf("refused %d times: %s", n, line)
	}
}

// servingCalls counts the calls of a trace from the filter on, and those that the filter
// refused, without their arguments' values.
func servingCalls(t *testing.T, path string) (calls int, refused map[string]int) {
	t.Helper()
	var f *os.File
	eventually(t, "the trace is written", func() bool {
		b, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(b), "+++ exited with 0 +++")
	})
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	filter := regexp.MustCompile(`seccomp\(SECCOMP_SET_MODE_FILTER, .*TSYNC`)
	notRefused := regexp.MustCompile(`epoll_ctl|rt_sigreturn`)
	numbers := regexp.MustCompile(`^\d+ +|0x[0-9a-f]+`)
	refused = map[string]int{}
	installed := false
	sc := bufio.NewScanner(f)
	for sc.Buffer(nil, 1<<20); sc.Scan(); {
		line := sc.Text()
		if !installed {
			installed = filter.MatchString(line)
			continue
		}
		calls++
		// The kernel itself says so of a regular file that Go would poll; and of a return
		// from a signal strace shows what was interrupted.
		if strings.Contains(line, "EPERM") && !notRefused.MatchString(line) {
			refused[numbers.ReplaceAllString(line, "")]++
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if !installed {
		t.Error("no filter was installed")
	}
	return calls, refused
}
