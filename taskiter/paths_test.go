// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// TestPathsOfOnePass: users who start many programs with long paths between two scans
// do not make those take more memory than is bounded; short paths are whole.
func TestPathsOfOnePass(t *testing.T) {
	long := []byte("/" + strings.Repeat("d", 4000) + " (deleted)")
	var p pass
	for pid := range int32(20_000) {
		p.exe(&exeRecord{Pid: pid, ExecId: 1, Bits: exeUnlinked}, long)
	}
	p.exe(&exeRecord{Pid: 20_000, ExecId: 1, Bits: exeUnlinked}, []byte("/bin/x (deleted)"))
	var sum int
	for i := range p.exes {
		var pr scan.Process
		p.exes[i].set(&pr)
		whole := len(pr.Exe) == 4001 && pr.ExeDeleted && !pr.ExeCut
		cut := len(pr.Exe) == scan.CutPath && !pr.ExeDeleted && pr.ExeCut
		if i < 20_000 && !whole && !cut || i == 0 && cut || i == 19_999 && whole {
			t.Fatalf("path %d: %d bytes, cut %v, deleted %v", i, len(pr.Exe), pr.ExeCut, pr.ExeDeleted)
		}
		if i == 20_000 && (pr.Exe != "/bin/x" || !pr.ExeDeleted || pr.ExeCut) {
			t.Errorf("a short path: %q, deleted %v, cut %v", pr.Exe, pr.ExeDeleted, pr.ExeCut)
		}
		if len(pr.Exe) > scan.CutPath {
			sum += len(pr.Exe)
		}
	}
	if sum > maxPathBytes {
		t.Errorf("%d bytes of long paths, want at most %d", sum, maxPathBytes)
	}
}
