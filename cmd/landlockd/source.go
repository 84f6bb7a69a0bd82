// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// sourceTaskiter is the source's name in landlockd_source_available.
const sourceTaskiter = "taskiter"

// failureReasons are all that a source may fail with, for counters that exist from the start.
func failureReasons() []string {
	return []string{string(taskiter.Read), string(taskiter.Refused)}
}

// missingPrivilege says whether an error of opening a source is one that ends
// the start: what the operator can mend by starting landlockd otherwise. What
// lies in the kernel leaves the daemon up, so that one query over the fleet
// tells more than many crash loops.
func missingPrivilege(err error) bool {
	var e *taskiter.Error
	return errors.As(err, &e) && (e.Reason == taskiter.NoCapability || e.Reason == taskiter.Refused)
}

// failure is a source's failure that came from another process: the stage that
// opened it.
type failure struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (f *failure) Error() string         { return f.Message }
func (f *failure) FailureReason() string { return f.Reason }

var _ scan.Failure = (*failure)(nil)
