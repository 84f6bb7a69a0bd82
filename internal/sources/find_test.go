// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"errors"
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// Only what the operator can mend by starting landlockd otherwise ends the start.
func TestMissingPrivilege(t *testing.T) {
	for reason, want := range map[string]bool{
		taskiter.NoCapability: true, taskiter.Refused: true,
		taskiter.NoBTF: false, taskiter.Lockdown: false, taskiter.NoIterator: false, taskiter.UnknownLayout: false,
		taskiter.Calibration: false, taskiter.Read: false,
	} {
		err := fmt.Errorf("open: %w", &scan.Error{Reason: reason})
		if got := missingPrivilege(err); got != want {
			t.Errorf("%s: %v", reason, got)
		}
	}
	if missingPrivilege(errors.New("other")) || missingPrivilege(nil) {
		t.Error("an error of another kind is none of privilege")
	}
}
