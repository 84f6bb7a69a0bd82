// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// calls are system calls by name.
type calls map[string]int

// ofRuntime are the system calls by which Go's runtime schedules and manages
// memory.
var ofRuntime = map[string]bool{
	"futex": true, "nanosleep": true, "epoll_pwait": true, "madvise": true, "mmap": true, "munmap": true, "sched_yield": true,
	"tgkill": true, "getpid": true, "rt_sigreturn": true, "rt_sigprocmask": true, "clock_nanosleep": true,
}

// since returns how many calls there are more than in c0: of the program, and
// of Go's runtime.
func (c calls) since(c0 calls) (program, runtime int) {
	for name, n := range c {
		if ofRuntime[name] {
			runtime += n - c0[name]
		} else {
			program += n - c0[name]
		}
	}
	return program, runtime
}

// One line of strace -f: a PID, and what it called. Where another thread came
// between, the call is on two lines, of which the first counts.
var call = regexp.MustCompile(`^\d+ +([a-z0-9_]+)\(`)

// traceScrape returns the system calls that a daemon makes for one scrape.
func traceScrape(t *testing.T, d *daemon) calls {
	t.Helper()
	pid := d.cmd.Process.Pid
	out := filepath.Join(t.TempDir(), "trace")
	tracer := launch(t, nil, testenv.NeedTool(t, "strace"), "-f", "-o", out, "-p", strconv.Itoa(pid))
	eventually(t, "every thread is traced", func() bool {
		if tracer.ended() {
			t.Fatalf("strace: %s", &tracer.stderr)
		}
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, f := range threads {
			if statusLine(t, f, "TracerPid") != strconv.Itoa(tracer.cmd.Process.Pid) {
				return false
			}
		}
		return err == nil && len(threads) > 0
	})
	d.scrape(t)
	tracer.signal(t, syscall.SIGINT) // it detaches
	tracer.wait(t)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	c := calls{}
	for line := range strings.Lines(string(b)) {
		if m := call.FindStringSubmatch(line); m != nil {
			c[m[1]]++
		}
	}
	if c["bpf"] == 0 || c["read"] == 0 {
		t.Fatalf("no scan in the trace:\n%s", b)
	}
	return c
}
