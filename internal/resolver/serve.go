// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/landlockd/landlockd/domainid"
)

// Serve answers requests until there are no more, about paths that begin at root. It then
// returns nil; an error is one of the connection, or a request that is none.
func Serve(conn io.ReadWriter, root string) error {
	local, err := OpenLocal(root, nil)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close() }()
	for {
		kind, number, text, err := receive(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var answer any
		if err == nil {
			answer, err = local.answer(kind, text)
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		b, err := message(kind, number, answer)
		if err == nil {
			_, err = conn.Write(b)
		}
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

func (l *Local) answer(kind byte, text []byte) (any, error) {
	var q question
	switch {
	case kind == toClose && len(text) == 0:
		l.Release()
		return nil, nil
	case kind != toOpen:
		return nil, fmt.Errorf("of kind %d: %w", kind, errMalformed)
	}
	if err := decode(text, &q, maxAsked); err != nil {
		return nil, err
	}
	assets, err := q.assets()
	if err != nil {
		return nil, err
	}
	l.assets = func() []domainid.Asset { return assets }
	objects, descriptors, _ := l.Resolve(context.Background())
	return rowsOf(table{objects, descriptors}), nil
}
