// SPDX-License-Identifier: Apache-2.0

package scan

import "context"

// Source reads the Landlock domain of every task that it can see.
type Source interface {
	// Scan reads everything once. It is not safe for concurrent use; wrap a
	// source in [Shared] for that. An error means that nothing of this scan
	// may be used.
	Scan(ctx context.Context) (*Snapshot, error)
	// Close releases what the source holds. It must not be called during a Scan.
	Close() error
}
