// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Serve answers requests until there are no more. It then returns nil; an error is one of the
// connection, or a request that is none.
func Serve(conn io.ReadWriter, local *Local) error {
	defer local.Release()
	for {
		kind, number, text, err := receive(conn)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a request: %w", err)
		case kind == toClose && len(text) == 0:
			local.Release()
			continue
		case kind != toOpen:
			return fmt.Errorf("a request of kind %d is none", kind)
		}
		var q question
		if err := decode(text, &q); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		assets, err := q.assets()
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		local.SetAssets(assets)
		objects, descriptors := local.Resolve(context.Background())
		answer, err := message(isTable, number, rowsOf(table{objects, descriptors}))
		if err == nil {
			_, err = conn.Write(answer)
		}
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}
