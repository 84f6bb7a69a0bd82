// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// TestPathsAreBounded: what is kept from scan to scan of long paths is as bounded as what
// a snapshot has of them.
func TestPathsAreBounded(t *testing.T) {
	b := newBuilder()
	b.begin()
	var entries [10_000]entry
	sum := 0
	for i := range entries {
		e := &entries[i]
		e.path = fmt.Sprintf("/%s/%d", strings.Repeat("d", 4000), i)
		b.add(int32(i+1), 0, e, &stat{}, finding{}, nil)
		p := &b.processes[i]
		if e.path != p.Exe || e.cut != p.ExeCut || e.cut && len(e.path) != scan.CutPath {
			t.Fatalf("process %d: %d bytes of %d are kept, cut %v", i, len(e.path), len(p.Exe), e.cut)
		}
		if !e.cut {
			sum += len(e.path)
		}
	}
	if sum == 0 || sum > maxPathBytes {
		t.Errorf("%d bytes of long paths, want at most %d", sum, maxPathBytes)
	}
}
