// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
)

// source returns what it is given, one result for each scan.
type source chan func() (*scan.Snapshot, error)

func (s source) Scan(context.Context) (*scan.Snapshot, error) { return (<-s)() }

func (s source) Close() error { return nil }

var kernel = scan.Kernel{Release: "6.18", Landlock: scan.Enabled, ABI: 7}

// start serves a source and asks it. The error of Serve is in the channel.
func start(t *testing.T, src scan.Source) (*Source, chan error) {
	t.Helper()
	ours, theirs := net.Pipe()
	ended := make(chan error, 1)
	g := Greeting{Source: scan.SourceInfo{Name: "procattr", IDs: "kernel"}, Status: confine.Status{confine.Seccomp: confine.Holds}}
	go func() {
		ended <- Serve(theirs, g, src)
		theirs.Close()
	}()
	s, err := Open(t.Context(), ours, kernel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if !reflect.DeepEqual(s.Greeting(), g) {
		t.Errorf("it is greeted with %+v", s.Greeting())
	}
	return s, ended
}

func TestScan(t *testing.T) {
	src := make(source, 1)
	s, ended := start(t, src)
	want := sample()
	want.Kernel, want.Source = kernel, s.greeting.Source
	want.Conclude()
	for range 3 {
		src <- func() (*scan.Snapshot, error) { return sample(), nil }
		got, err := s.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nbecomes\n%+v", want, got)
		}
		for reason, made := range map[string]error{
			procattr.Read: fmt.Errorf("x: %w", &scan.Error{Kind: scan.ErrBroken, Reason: procattr.Read, Missing: strings.Repeat("\x00", 1<<20)}),
			"timeout":     context.DeadlineExceeded,
			Reason:        &scan.Error{Reason: "invented"},
		} {
			src <- func() (*scan.Snapshot, error) { return nil, made }
			if _, err := s.Scan(t.Context()); scan.FailureReason(err) != reason {
				t.Errorf("%s: %.100v", reason, err)
			}
		}
	}
	s.Close()
	if err := <-ended; err != nil {
		t.Errorf("the reader ends with %v", err)
	}
}

// An answer that comes too late is nobody's, however much of it came in time.
func TestLateAnswer(t *testing.T) {
	src := make(source)
	s, _ := start(t, src)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // one request at most waits for an answer
		if _, err := s.Scan(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	late, timely := sample(), sample()
	late.TasksRead, timely.TasksRead = 1, 2
	go func() {
		src <- func() (*scan.Snapshot, error) { return late, nil }
		src <- func() (*scan.Snapshot, error) { return timely, nil }
	}()
	got, err := s.Scan(t.Context())
	if err != nil || got.TasksRead != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// An answer is read on from where the time was over.
func TestHalfAnAnswer(t *testing.T) {
	ours, theirs := net.Pipe()
	s := &Source{conn: ours, number: 6, due: true, gone: make(chan struct{})}
	whole := append(beginAnswer(nil, isSnapshot, 6), encode(sample())...)
	endAnswer(whole)
	for _, part := range [][]byte{whole[:5], whole[5:100]} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = theirs.Write(part)
			cancel()
		}()
		if _, err := s.Scan(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	go func() {
		_, _ = theirs.Write(whole[100:])
		var request [requestSize]byte
		_, _ = theirs.Read(request[:])
		endAnswer(append(beginAnswer(whole, isSnapshot, 7), whole[headSize:]...))
		_, _ = theirs.Write(whole)
	}()
	if got, err := s.Scan(t.Context()); err != nil || len(got.Processes) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A reader that sends what it was not asked, or that ended, is not asked again.
func TestGone(t *testing.T) {
	long := beginAnswer(nil, isSnapshot, 1)
	binary.LittleEndian.PutUint32(long[9:], maxAnswer+1)
	text := beginAnswer(nil, isFailure, 1)
	binary.LittleEndian.PutUint32(text[9:], maxText+1)
	for name, answer := range map[string][]byte{
		"nothing":          nil,
		"half an answer":   beginAnswer(nil, isSnapshot, 1)[:7],
		"another request":  beginAnswer(nil, isSnapshot, 2),
		"an earlier one":   beginAnswer(nil, isSnapshot, 0),
		"a second welcome": beginAnswer(nil, isGreeting, 1),
		"no kind":          beginAnswer(nil, 0, 1),
		"too long":         long,
		"too much text":    text,
	} {
		ours, theirs := net.Pipe()
		s := &Source{conn: ours, gone: make(chan struct{})}
		s.lose = func() { close(s.gone) }
		go func() {
			var request [requestSize]byte
			_, _ = theirs.Read(request[:])
			_, _ = theirs.Write(answer)
			theirs.Close()
		}()
		if _, err := s.Scan(t.Context()); scan.FailureReason(err) != Reason {
			t.Errorf("%s: %v", name, err)
		}
		select {
		case <-s.Gone():
		default:
			t.Errorf("%s: it is still asked", name)
		}
	}
}

// What is malformed within its bounds fails the scan alone.
func TestMalformedAnswer(t *testing.T) {
	for _, kind := range []byte{isSnapshot, isFailure} {
		ours, theirs := net.Pipe()
		s := &Source{conn: ours, gone: make(chan struct{})}
		go func() {
			for number := range uint64(2) {
				var request [requestSize]byte
				_, _ = theirs.Read(request[:])
				b := append(beginAnswer(nil, kind, number+1), 1, 2, 3)
				endAnswer(b)
				_, _ = theirs.Write(b)
			}
		}()
		for range 2 {
			if _, err := s.Scan(t.Context()); scan.FailureReason(err) != Reason || !errors.Is(err, errMalformed) {
				t.Errorf("kind %c: %v", kind, err)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, answer := range []string{"", "g", "s\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "g\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00{"} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write([]byte(answer))
			theirs.Close()
		}()
		if _, err := Open(t.Context(), ours, kernel); err == nil {
			t.Errorf("%q is a greeting", answer)
		}
	}
	ours, _ := net.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, ours, kernel); err == nil {
		t.Error("it waits for no greeting")
	}
}

// canned is a connection that says the same to everybody, once.
type canned struct {
	net.Conn
	b []byte
}

func (c *canned) Read(b []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, net.ErrClosed
	}
	n := copy(b, c.b)
	c.b = c.b[n:]
	return n, nil
}

func (c *canned) Write(b []byte) (int, error)     { return len(b), nil }
func (c *canned) SetReadDeadline(time.Time) error { return nil }

// FuzzAnswers: whatever a reader sends, who asks goes on, and takes no more memory than
// what was sent is worth.
func FuzzAnswers(f *testing.F) {
	greeting := append(beginAnswer(nil, isGreeting, 0), "{}"...)
	endAnswer(greeting)
	answer := append(beginAnswer(nil, isSnapshot, 1), encode(sample())...)
	endAnswer(answer)
	failure := append(beginAnswer(nil, isFailure, 2), `{"reason":"read"}`...)
	endAnswer(failure)
	f.Add(append(append(greeting, answer...), failure...))
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx := context.Background() // one that ends would make each run another one to the fuzzer
		s, err := Open(ctx, &canned{b: b}, kernel)
		for err == nil {
			if _, err = s.Scan(ctx); cap(s.in) > 4<<20+8*len(b) {
				t.Errorf("%d bytes of %d", cap(s.in), len(b))
			}
		}
	})
}

// FuzzRequests: whatever is asked, the reader answers it or ends.
func FuzzRequests(f *testing.F) {
	f.Add([]byte("s12345678s12345679"))
	f.Add([]byte("t12345678"))
	f.Fuzz(func(t *testing.T, b []byte) {
		src := make(source, len(b)/requestSize+1)
		for range cap(src) {
			src <- func() (*scan.Snapshot, error) { return sample(), nil }
		}
		_ = Serve(&canned{b: b}, Greeting{}, src)
		if answered := cap(src) - len(src); answered > len(b)/requestSize {
			t.Errorf("%d answers to %d bytes", answered, len(b))
		}
	})
}
