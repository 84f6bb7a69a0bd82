// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"context"

	"github.com/landlockd/landlockd/scan"
)

// NewSource returns a source that scans with another one and lets a monitor know.
// Workloads must be there by then. Closing it closes the other source, not the
// monitor.
func NewSource(src scan.Source, m *Monitor) scan.Source { return &source{src, m} }

type source struct {
	scan.Source
	monitor *Monitor
}

func (s *source) Scan(ctx context.Context) (*scan.Snapshot, error) {
	snap, err := s.Source.Scan(ctx)
	if err != nil {
		return nil, err
	}
	// Nobody but the source, which keeps nothing of where denials come from,
	// has it yet.
	s.monitor.update(snap)
	return snap, nil
}
