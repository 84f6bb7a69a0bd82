// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// scanTimeout is how long one scan may take, whoever still waits for it.
const scanTimeout = time.Minute

// Serve greets whoever asks, and answers requests until there are no more. It then returns
// nil; an error is one of the connection, or a request that is none.
func Serve(conn io.ReadWriter, g Greeting, source scan.Source) error {
	s := &server{conn: conn, source: source}
	if g.Failure != nil {
		g.Failure = shortened(g.Failure)
	}
	if err := s.text(isGreeting, 0, g); err != nil {
		return err
	}
	for {
		var request [requestSize]byte
		_, err := io.ReadFull(conn, request[:])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a request: %w", err)
		case request[0] != scanRequest:
			return fmt.Errorf("a request of kind %d is none", request[0])
		}
		if err := s.scan(binary.LittleEndian.Uint64(request[1:])); err != nil {
			return err
		}
	}
}

type server struct {
	conn   io.ReadWriter
	source scan.Source
	answer []byte
}

// scan answers one request.
func (s *server) scan(number uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), scanTimeout)
	defer cancel()
	snap, err := s.source.Scan(ctx)
	if err != nil {
		return s.text(isFailure, number, shortened(err))
	}
	room := cap(s.answer)
	w := wire{b: beginAnswer(s.answer, isSnapshot, number)}
	w.snapshot(snap, &paths{})
	if len(w.b)-headSize > maxAnswer {
		return s.text(isFailure, number, unreadable("the host has too many processes", nil))
	}
	if s.answer = w.b; room > 4*len(w.b) {
		s.answer = nil // what a burst took
	}
	endAnswer(w.b)
	return s.write(w.b)
}

// text answers with JSON, of which the caller knows that it is short.
func (s *server) text(kind byte, number uint64, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	b := append(beginAnswer(nil, kind, number), text...)
	endAnswer(b)
	return s.write(b)
}

func (s *server) write(b []byte) error {
	if _, err := s.conn.Write(b); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// shortened returns an error that fits in an answer.
func shortened(err error) *scan.Error {
	const longest = 1 << 10
	flat := scan.Flatten(err)
	flat.Missing = flat.Missing[:min(len(flat.Missing), longest)]
	return flat
}
