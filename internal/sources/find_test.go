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

// An attribute that cannot be read after all leaves the iterator alone, or nothing.
func TestNoAttribute(t *testing.T) {
	err := &scan.Error{Reason: "reader"}
	for _, iterator := range []*taskiter.Source{nil, {}} {
		f := Found{Iterator: iterator, Attribute: true, Tried: map[string]string{ProcAttr: ""}}
		f.NoAttribute(err)
		if f.Attribute || f.Tried[ProcAttr] != "reader" || (f.Failure == nil) == (iterator == nil) {
			t.Errorf("%+v", f)
		}
		if iterator == nil {
			if _, got := f.Reader(Options{}).Scan(t.Context()); !errors.Is(got, error(err)) {
				t.Errorf("a scan: %v", got)
			}
		} else if f.Reader(Options{}) != scan.Source(iterator) {
			t.Error("the iterator does not go on alone")
		}
	}
	remote := scan.Unusable(err)
	f := Found{Attribute: true, Remote: remote}
	if f.Reader(Options{}) != remote {
		t.Error("what another process reads is read here")
	}
}
