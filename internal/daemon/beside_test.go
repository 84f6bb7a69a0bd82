// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// A reader that could look at no other user's processes does not start, unless there is
// nothing to be looked at.
func TestReaderKeeps(t *testing.T) {
	for _, landlock := range []scan.Availability{scan.NotBuilt, scan.Disabled, scan.Enabled} {
		keep, err := readerKeeps(landlock, true)
		if err != nil || !slices.Equal(keep, []int{unix.CAP_SYS_PTRACE}) {
			t.Errorf("%s: %v, %v", landlock, keep, err)
		}
		keep, err = readerKeeps(landlock, false)
		refused := err != nil && strings.Contains(err.Error(), "CAP_SYS_PTRACE")
		if keep != nil || refused != (landlock == scan.Enabled) {
			t.Errorf("%s, without the privilege: %v, %v", landlock, keep, err)
		}
	}
}
