// SPDX-License-Identifier: Apache-2.0

// Package check is what runs in a guest: named checks that report to the host
// over the console (package protocol).
package check

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// Check is one named check. It runs on a goroutine of its own.
type Check func(*T)

// T is what a check reports to, in the manner of testing.T.
type T struct {
	name string
	args []string

	mu       sync.Mutex
	failures []string
	skipped  string
	cleanups []func()
}

// Arg returns the argument name=value of the check, or the fallback.
func (t *T) Arg(name, fallback string) string {
	for _, a := range t.args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return fallback
}

// Number returns an argument of the check that is a number.
func (t *T) Number(name string, fallback int) int {
	n, err := strconv.Atoi(t.Arg(name, strconv.Itoa(fallback)))
	if err != nil {
		t.Fatalf("argument %s: %v", name, err)
	}
	return n
}

// Fact states something that the host prints and keeps.
func (t *T) Fact(key string, value any) {
	Emit(protocol.Line{Kind: protocol.Fact, Check: t.name, Key: key, Text: fmt.Sprint(value)})
}

// Logf says something that is shown if the check fails.
func (t *T) Logf(format string, args ...any) {
	Emit(protocol.Line{Kind: protocol.Log, Check: t.name, Text: fmt.Sprintf(format, args...)})
}

// Errorf notes a failure and goes on.
func (t *T) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.Logf("%s", text)
	t.failure(text)
}

// Fatalf notes a failure and ends the check.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Must ends the check if err is not nil.
func (t *T) Must(err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// Skipf ends the check: this kernel cannot be asked the question.
func (t *T) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	runtime.Goexit()
}

// Cleanup has f called when the check ends, last one first.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *T) cleanUp() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

func (t *T) failure(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, text)
}

// Failed reports whether a failure was noted.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

// outcome returns the result: the first failure and how many there were.
func (t *T) outcome() (protocol.Status, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch n := len(t.failures); {
	case n == 1:
		return protocol.Fail, t.failures[0]
	case n > 1:
		return protocol.Fail, fmt.Sprintf("%s (and %d more)", t.failures[0], n-1)
	case t.skipped != "":
		return protocol.Skip, t.skipped
	default:
		return protocol.OK, ""
	}
}
