// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// Emit writes a line of the protocol. It begins with a line feed, so that half
// a line of the kernel's before it does no harm.
func Emit(l protocol.Line) { os.Stdout.WriteString("\n" + l.String() + "\n") }

// RunAll runs the checks that the kernel's command line names, one after the
// other. Each may take the given time, or what its argument limit says: the rest still run.
// If one fails, the kernel's log goes to the console, which the host keeps then.
func RunAll(registry map[string]Check, each time.Duration) {
	wanted, err := checksWanted()
	if err != nil {
		Emit(protocol.Line{Kind: protocol.Log, Check: "init", Text: err.Error()})
		return
	}
	failed := false
	for _, w := range wanted {
		words := strings.Split(w, ":")
		failed = run(words[0], words[1:], registry[words[0]], each) == protocol.Fail || failed
	}
	if failed {
		printKernelLog()
	}
	Emit(protocol.Line{Kind: protocol.Done, Key: strconv.Itoa(len(wanted))})
}

// checksWanted returns what the kernel's command line names.
func checksWanted() ([]string, error) {
	b, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, err
	}
	for _, word := range strings.Fields(string(b)) {
		if list, ok := strings.CutPrefix(word, protocol.CommandLine+"="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, fmt.Errorf("%s is not on the kernel's command line", protocol.CommandLine)
}

// printKernelLog prints what the kernel's buffer still has of its log.
func printKernelLog() {
	size, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil)
	if err == nil {
		buf := make([]byte, size)
		if size, err = unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, buf); err == nil {
			fmt.Printf("\nthe kernel's log:\n%s\n", buf[:size])
			return
		}
	}
	fmt.Printf("\nthe kernel's log: %v\n", err)
}

// run runs one check and returns what it reported.
func run(name string, args []string, c Check, limit time.Duration) protocol.Status {
	Emit(protocol.Line{Kind: protocol.Begin, Check: name})
	t := &T{name: name, args: args}
	limit, err := t.limit(limit)
	if err != nil {
		t.failure(err.Error())
	}
	began := time.Now()
	done := make(chan struct{})
	go t.run(c, done)
	select {
	case <-done:
	case <-time.After(limit):
		t.failure("still running after " + limit.String())
	}
	t.Fact("seconds", fmt.Sprintf("%.2f", time.Since(began).Seconds()))
	status, text := t.outcome()
	Emit(protocol.Line{Kind: protocol.Result, Check: name, Key: string(status), Text: text})
	return status
}

// limit is how long the check may take.
func (t *T) limit(fallback time.Duration) (time.Duration, error) {
	return time.ParseDuration(t.Arg("limit", fallback.String()))
}

// run runs the check to its end, however it ends.
func (t *T) run(c Check, done chan<- struct{}) {
	defer close(done)
	defer t.cleanUp()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if c == nil {
		t.Fatalf("this guest has no check of that name")
	}
	c(t)
}
