// SPDX-License-Identifier: Apache-2.0

// Command landlockd reads every task's Landlock domain and exports coverage and
// nesting depth as Prometheus metrics.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// Exit codes. Those of check are its answer, see docs/check.md.
const (
	exitOK        = 0
	exitFailure   = 1 // not all of it could be done; check: a rule is violated
	exitUsage     = 2 // wrong usage or configuration
	exitUndecided = 3 // check alone: it is not known
)

// init runs on the main thread, whose name is the process's. execve(2) by
// descriptor names it after the descriptor, or the file behind it; and its domain
// lets the serving stage write to no file, so that /proc/self/comm is out of reach.
func init() {
	if _, ok := os.LookupEnv(stageEnv); ok {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // serveConfined makes sure
		name := [16]byte{'l', 'a', 'n', 'd', 'l', 'o', 'c', 'k', 'd'}
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	}
}

func main() {
	surviveHangup()
	os.Exit(run(os.Args))
}

// run is main with the exit code as its result. What went wrong is one line on
// standard error.
func run(args []string) int {
	s, command, err := parse(args[1:])
	if err == nil {
		err = s.run(command)
	}
	if err == nil {
		return exitOK
	}
	name := "landlockd"
	if len(args) > 0 && args[0] != "" {
		name = filepath.Base(args[0])
	}
	var quiet quietError
	if !errors.As(err, &quiet) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, untrusted.OneLine(err.Error()))
	}
	var code codeError
	var usage usageError
	switch {
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &usage):
		return exitUsage
	default:
		return exitFailure
	}
}

// codeError is an error with an exit code of its own.
type codeError struct {
	code int
	error
}

func (e codeError) Unwrap() error { return e.error }

// usageError is wrong usage or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// quietError is a failure that has been reported already.
type quietError struct{ error }

func (e quietError) Unwrap() error { return e.error }
