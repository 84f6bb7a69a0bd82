// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"fmt"

	"github.com/landlockd/landlockd/internal/bpffile"
)

// readSize is for what iterate reads into.
const readSize = bpffile.ReadSize

// iterate runs the program behind a link over every task and hands its records to the
// sink, unless ctx ends.
func iterate(ctx context.Context, link int, buf []byte, to sink) error {
	err := bpffile.Iterate(ctx, link, buf, func(b []byte) error { return parse(b, to) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("records of the task iterator: %w", err)
	}
	return err
}
