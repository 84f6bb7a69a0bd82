// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"fmt"

	"github.com/landlockd/landlockd/internal/bpffile"
)

// readSize is for what iterate reads into.
const readSize = bpffile.ReadSize

// reader makes one pass over the host's tasks, and hands the records of each read to take.
type reader func(take func(b []byte) error) error

// iterate runs the program behind a link over every task and hands its records to the
// sink, unless ctx ends.
func iterate(ctx context.Context, link int, buf []byte, to sink) error {
	return iterateBlocks(ctx, link, buf, func(b []byte) error { return parse(b, to) })
}

// iterateBlocks is iterate for who takes the records of each read as they are.
func iterateBlocks(ctx context.Context, link int, buf []byte, take func([]byte) error) error {
	err := bpffile.Iterate(ctx, link, buf, take)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("records of the task iterator: %w", err)
	}
	return err
}
