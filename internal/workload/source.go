// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"

	"github.com/landlockd/landlockd/scan"
)

// NewSource returns a source that scans with another one and names the workloads
// of what it found. Closing it closes both.
func NewSource(src scan.Source, r *Resolver) scan.Source { return &source{src, r} }

type source struct {
	scan.Source
	names *Resolver
}

func (s *source) Scan(ctx context.Context) (*scan.Snapshot, error) {
	snap, err := s.Source.Scan(ctx)
	if err == nil {
		// Only the source has it yet, and that looks at no workload.
		s.names.Assign(snap)
	}
	return snap, err
}

func (s *source) Close() error {
	s.names.Close()
	return s.Source.Close()
}
