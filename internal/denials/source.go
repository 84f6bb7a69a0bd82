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
	// Only the source has it yet, and that does not keep where denials come from.
	s.monitor.update(snap)
	return snap, nil
}
