// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"context"
	"log/slog"
	"testing"

	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// repeating is a source that finds the same from its second scan on, as a task iterator on a host
// where something changes once.
type repeating struct {
	last  *scan.Snapshot
	scans int
}

func (r *repeating) Scan(context.Context) (*scan.Snapshot, error) {
	if r.scans++; r.scans > 2 {
		r.last = r.last.Again()
		r.last.Source.Name = "taskiter"
		return r.last, nil
	}
	r.last = host("taskiter", make([]scan.State, r.scans)...)
	r.last.Conclude()
	return r.last, nil
}

func (*repeating) Close() error { return nil }

// Workloads are named in each snapshot, also if the first source found the same as before.
func TestBothNamesWorkloads(t *testing.T) {
	second := &fixed{snap: host("procattr", scan.Unsandboxed)}
	resolver := workload.Open(workload.Options{CgroupFS: t.TempDir()})
	b := workload.NewSource(NewBoth(&repeating{}, second, slog.New(slog.DiscardHandler)), resolver)
	for i := range 4 {
		snap, err := b.Scan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(snap.Workloads) == 0 || snap.WorkloadOf(&snap.Processes[0]) == nil {
			t.Errorf("scan %d: %d workloads", i+1, len(snap.Workloads))
		}
	}
}
