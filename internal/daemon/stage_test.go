// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/internal/workload"
)

// Whatever is made anew, the directory above it can be listed.
func TestListable(t *testing.T) {
	dirs := listable()
	for _, want := range []string{workload.DefaultLogs, workload.DefaultPodLogs} {
		if !slices.Contains(dirs, want) || !slices.Contains(dirs, filepath.Dir(want)) {
			t.Errorf("%s or the one above is not among %q", want, dirs)
		}
	}
}
