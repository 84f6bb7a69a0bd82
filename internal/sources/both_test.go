// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// fixed returns the same snapshot or error each time.
type fixed struct {
	snap   *scan.Snapshot
	err    error
	closed int
}

func (f *fixed) Scan(context.Context) (*scan.Snapshot, error) { return f.snap, f.err }
func (f *fixed) Close() error                                 { f.closed++; return nil }

func host(name string, states ...scan.State) *scan.Snapshot {
	s := &scan.Snapshot{Source: scan.SourceInfo{Name: name, IDs: "kernel"}, Domains: []domainid.Domain{{ID: 7, Parent: domainid.Outermost, Depth: 1}}}
	for i, st := range states {
		start := uint64(i+1) * 1e9
		t := scan.Task{TID: int32(i + 1), Start: start, State: st, Domain: domainid.Outermost}
		if st == scan.Sandboxed {
			t.Domain = 0
		}
		s.Processes = append(s.Processes, scan.Process{PID: int32(i + 1), Start: start, State: st, FirstTask: int32(i), NumTasks: 1})
		s.Tasks = append(s.Tasks, t)
	}
	return s
}

func TestBothCountsDisagreements(t *testing.T) {
	first := &fixed{snap: host("taskiter", scan.Sandboxed, scan.Unsandboxed, scan.Unknown)}
	second := &fixed{snap: host("procattr", scan.Sandboxed, scan.Unsandboxed, scan.Sandboxed)}
	b := NewBoth(first, second, slog.New(slog.DiscardHandler))
	snap, err := b.Scan(context.Background())
	if err != nil || snap.Source.Name != "both" || first.snap.Source.Name != "taskiter" || b.Disagreements() != 0 {
		t.Fatalf("%v, %+v: %d disagreements where there are none", err, snap.Source, b.Disagreements())
	}
	second.snap = host("procattr", scan.Unsandboxed, scan.Unsandboxed, scan.Sandboxed)
	if _, err := b.Scan(context.Background()); err != nil || b.Disagreements() == 0 {
		t.Errorf("%v, %d disagreements where one process is sandboxed for one source alone", err, b.Disagreements())
	}
	for _, broken := range []*fixed{first, second} {
		broken.err = errors.New("broken")
		if _, err := b.Scan(context.Background()); !errors.Is(err, broken.err) {
			t.Errorf("a source that failed: %v", err)
		}
		broken.err = nil
	}
	if err := b.Close(); err != nil || first.closed != 1 || second.closed != 1 {
		t.Error("both are not closed once")
	}
}
