// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
)

// Reason is that of a *[scan.Error] of [Source.Scan] that the reader is to blame for.
const Reason = "reader"

func unreadable(what string, err error) *scan.Error {
	return &scan.Error{
		Kind: scan.ErrBroken, Reason: Reason, Source: "process that reads the attribute", Missing: what,
		Err: err,
	}
}

// Source asks a reader for scans. It implements [scan.Source].
//
// No more than one answer is due at a time: one that comes too late for who asked is read
// and dropped before the next request.
type Source struct {
	conn     net.Conn
	kernel   scan.Kernel
	greeting Greeting
	number   uint64 // of the last request
	due      bool   // it has not been answered
	in       []byte // as much of the answer as has come
	paths    paths
	gone     chan struct{}
	lose     func()
}

var _ scan.Source = (*Source)(nil)

// Open waits for a reader's greeting until ctx is done. An error is a *[scan.Error]: why the
// reader can make no scans, or has not started; the connection then stays the caller's. The
// kernel is what was found out about it: a reader's word is not needed for that.
func Open(ctx context.Context, conn net.Conn, kernel scan.Kernel) (*Source, error) {
	s := &Source{conn: conn, kernel: kernel, gone: make(chan struct{})}
	s.lose = sync.OnceFunc(func() { close(s.gone) })
	defer s.until(ctx)()
	text, err := s.receive(isGreeting)
	if err == nil {
		err = decode(text, &s.greeting)
	}
	switch {
	case err != nil:
		return nil, unreadable("it did not start", err)
	case s.greeting.Failure != nil:
		return nil, bounded(s.greeting.Failure)
	}
	return s, nil
}

// Greeting returns what the reader said of itself.
func (s *Source) Greeting() Greeting { return s.greeting }

// Gone is closed once the reader has ended: no scan succeeds any more.
func (s *Source) Gone() <-chan struct{} { return s.gone }

// Scan implements [scan.Source]. An error is that of ctx, a *[scan.Error] of the reader's
// source, or one with [Reason].
func (s *Source) Scan(ctx context.Context) (*scan.Snapshot, error) {
	defer s.until(ctx)()
	snap, err := s.scan()
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		err = ctx.Err()
	}
	return snap, err
}

func (s *Source) scan() (*scan.Snapshot, error) {
	if s.due {
		if _, err := s.receive(isSnapshot, isFailure); err != nil {
			return nil, err
		}
	}
	s.number, s.in = s.number+1, s.in[:0]
	request := binary.LittleEndian.AppendUint64([]byte{scanRequest}, s.number)
	if _, err := s.conn.Write(request); err != nil {
		return nil, s.lost(err)
	}
	s.due = true
	answer, err := s.receive(isSnapshot, isFailure)
	if err != nil {
		return nil, err
	}
	if kind, _, _ := head(s.in); kind == isFailure {
		failure := &scan.Error{}
		if err := decode(answer, failure); err != nil {
			return nil, unreadable("why a scan failed", err)
		}
		return nil, bounded(failure)
	}
	snap := &scan.Snapshot{Kernel: s.kernel, Source: s.greeting.Source}
	w := wire{b: answer, reading: true}
	w.snapshot(snap, &s.paths)
	if w.err != nil {
		return nil, unreadable("a scan", w.err)
	}
	if cap(s.in) > 4*len(s.in) {
		s.in = nil // what a burst took
	}
	snap.Conclude()
	return snap, nil
}

// bounded returns a failure of which the reason is known: reasons are label values.
func bounded(failure *scan.Error) *scan.Error {
	if !slices.Contains(append(procattr.Reasons(), scan.ReasonTimeout), failure.Reason) {
		failure.Reason = Reason
	}
	return failure
}

// receive reads the answer to the last request on from where an earlier call had to stop, and
// returns what follows its head; it is valid until the next call.
func (s *Source) receive(kinds ...byte) ([]byte, error) {
	for {
		missing := headSize - len(s.in)
		if missing <= 0 { // the head is there
			kind, number, length := head(s.in)
			longest := maxText
			if kind == isSnapshot {
				longest = maxAnswer
			}
			if !slices.Contains(kinds, kind) || number != s.number || length > longest {
				return nil, s.lost(errMalformed)
			}
			missing += length
		}
		if missing == 0 {
			s.due = false
			return s.in[headSize:], nil
		}
		// What it says that follows gets memory as it comes.
		const most = 1 << 20
		s.in = slices.Grow(s.in, min(missing, most))
		n, err := s.conn.Read(s.in[len(s.in) : len(s.in)+min(missing, most)])
		s.in = s.in[:len(s.in)+n]
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err
		case err != nil:
			return nil, s.lost(err)
		}
	}
}

// lost is for a reader that cannot be asked any more.
func (s *Source) lost(err error) error {
	s.lose()
	return unreadable("it has ended, or answers what was not asked", err)
}

// until lets reads fail once ctx is done. What it returns ends that.
func (s *Source) until(ctx context.Context) (end func()) {
	_ = s.conn.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
		close(done)
	})
	return func() {
		if !stop() {
			<-done // the next call's deadline is not this one's
		}
	}
}

// decode reads JSON of a bounded length.
func decode(text []byte, v any) error {
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return nil
}

// Close implements [scan.Source]. The reader then ends.
func (s *Source) Close() error { return s.conn.Close() }
