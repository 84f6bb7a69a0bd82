// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/internal/daemon"
)

// Exit codes. Those of check are its answer, see docs/check.md.
const (
	exitOK        = 0
	exitFailure   = 1 // not all of it could be done; check: a rule is violated
	exitUsage     = 2 // wrong usage or configuration
	exitUndecided = 3 // check alone: it is not known
)

// codeError is an error with an exit code of its own.
type codeError struct {
	code int
	error
}

func (e codeError) Unwrap() error { return e.error }

// usageError is wrong usage or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// quietError is a failure that has been reported already.
type quietError struct{ error }

func (e quietError) Unwrap() error { return e.error }

// reported is the error of an answer that was written and has an exit code of its own;
// nil for exitOK.
func reported(code int) error {
	if code == exitOK {
		return nil
	}
	return codeError{code, quietError{errors.New("the answer is written")}}
}

func exitCode(err error) int {
	var code codeError
	var usage usageError
	var option daemon.UsageError
	switch {
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &usage), errors.As(err, &option):
		return exitUsage
	default:
		return exitFailure
	}
}
