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

// Failure is an error of a source whose cause has a short stable name, fit for
// a label value, such as "no_btf". Each source documents its own.
type Failure interface {
	error
	// FailureReason returns the name: lower case, words joined by underscores.
	FailureReason() string
}
