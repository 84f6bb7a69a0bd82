// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
)

func newRemote(conn net.Conn, assets []domainid.Asset) (*Remote, *bytes.Buffer) {
	var log bytes.Buffer
	return NewRemote(conn, 7, func() []domainid.Asset { return assets }, slog.New(slog.NewTextHandler(&log, nil))), &log
}

// What another process opens is what this one would.
func TestRemote(t *testing.T) {
	dir := house(t, "etc/", "etc/a_key", "etc/\xff_key", "sock -> etc/a_key")
	assets := of([]string{dir + "/etc/*_key"}, nil, []string{dir + "/none"})
	assets = append(assets, domainid.Asset{Unix: []string{dir + "/sock"}})
	want := resolved(t, openLocal(t, "/", assets), dir)
	ours, theirs := net.Pipe()
	before := numOpen(t)
	ended := make(chan error, 1)
	go func() { ended <- Serve(theirs, "/") }()
	r, log := newRemote(ours, assets)
	for range 3 {
		objects, fds, pid := r.Resolve(t.Context())
		if got := lines(t, dir, objects, fds); got != want || !strings.Contains(got, "\xff_key") {
			t.Errorf("%q, want %q", got, want)
		}
		if pid != 7 || len(r.Assets()) != 4 || !r.Release() || r.Release() {
			t.Errorf("of process %d, %v", pid, r.Assets())
		}
	}
	r.assets = func() []domainid.Asset { return nil }
	if objects, _, _ := r.Resolve(t.Context()); len(objects) != 0 {
		t.Errorf("without assets: %v", objects)
	}
	r.Close()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	allClosed(t, before)
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
}

// other is a process that answers what it likes.
type other struct {
	t    *testing.T
	conn net.Conn
}

func (o other) request() (kind byte, number uint64) {
	kind, number, _, err := receive(o.conn)
	if err != nil {
		o.t.Errorf("no request: %v", err)
	}
	return kind, number
}

func (o other) answer(kind byte, number uint64, v any) {
	b, err := message(kind, number, v)
	if err == nil {
		_, err = o.conn.Write(b)
	}
	if err != nil {
		o.t.Log(err) // it does not want to hear it
	}
}

func good() []row {
	return []row{
		{Asset: -1, Kind: domainid.ObjectDirectory, Path: []byte("/"), Parent: -1, FD: 5},
		{Asset: 0, Kind: domainid.ObjectFile, Path: []byte("/a"), Parent: 0, FD: 6},
	}
}

// An answer that is late is waited for once, and is no other request's.
func TestLateAnswer(t *testing.T) {
	ours, theirs := net.Pipe()
	r, log := newRemote(ours, of([]string{"/a"}, nil, []string{"/c"}))
	defer r.Close()
	o := other{t, theirs}
	unreadable := func(ctx context.Context) {
		t.Helper()
		objects, fds, _ := r.Resolve(ctx)
		if len(objects) != 2 || objects[0].Kind != domainid.ObjectUnreadable || objects[1].Asset != 2 || fds[0] != -1 {
			t.Errorf("%v, %v", objects, fds)
		}
		if r.Release() {
			t.Error("it was open")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan uint64)
	go func() {
		_, number := o.request()
		cancel()
		got <- number
	}()
	unreadable(ctx)
	began := time.Now()
	for range 10 {
		unreadable(t.Context())
	}
	if took := time.Since(began); took > 9*answerTime {
		t.Errorf("ten took %s: each waits", took)
	}
	o.answer(toOpen, <-got, good())
	answered := make(chan bool)
	go func() {
		_, number := o.request()
		o.answer(toOpen, number, good())
		kind, number := o.request()
		o.answer(kind, number, nil)
		answered <- kind == toClose
	}()
	objects, _, _ := r.Resolve(t.Context())
	for len(objects) != 2 || objects[1].Kind != domainid.ObjectFile { // the late one was not read yet
		objects, _, _ = r.Resolve(t.Context())
	}
	if !r.Release() || !<-answered {
		t.Error("it is not asked to close")
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
}

// One that sends what it was not asked, or that has ended, is not asked again.
func TestHostileAnswers(t *testing.T) {
	bad := func(change func(r *row)) []row {
		rows := good()
		change(&rows[1])
		return rows
	}
	for name, v := range map[string]any{
		"no table":             "x",
		"null rows":            []any{nil},
		"another asset":        bad(func(r *row) { r.Asset = 2 }),
		"a negative one":       bad(func(r *row) { r.Asset = -2 }),
		"a file as parent":     bad(func(r *row) { r.Asset = -1 }),
		"no parent":            bad(func(r *row) { r.Parent = 2 }),
		"a strange parent":     bad(func(r *row) { r.Parent = -2 }),
		"its own parent":       bad(func(r *row) { r.Parent = 1 }),
		"no descriptor":        bad(func(r *row) { r.FD = -1 }),
		"a negative":           bad(func(r *row) { r.FD = -2 }),
		"a great one":          bad(func(r *row) { r.FD = maxFD + 1 }),
		"one of nothing":       bad(func(r *row) { r.Kind, r.Parent = domainid.ObjectAbsent, -1 }),
		"a parent of nothing":  bad(func(r *row) { r.Kind, r.FD = domainid.ObjectAbsent, -1 }),
		"no path":              bad(func(r *row) { r.Path = nil }),
		"a relative one":       bad(func(r *row) { r.Path = []byte("a") }),
		"a long one":           bad(func(r *row) { r.Path = bytes.Repeat([]byte("/"), 5000) }),
		"too many":             make([]row, domainid.MaxObjects+1),
		"what nobody knows of": []map[string]int{{"asset": 0, "more": 1}},
		"a strange kind":       []map[string]any{{"asset": 0, "kind": "x"}},
	} {
		ours, theirs := net.Pipe()
		r, log := newRemote(ours, of([]string{"/a"}, []string{"/b"}))
		o := other{t, theirs}
		go func() {
			_, number := o.request()
			o.answer(toOpen, number, v)
		}()
		for range 2 {
			if objects, _, _ := r.Resolve(t.Context()); len(objects) != 2 || objects[1].Kind != domainid.ObjectUnreadable {
				t.Errorf("%s: %v", name, objects)
			}
		}
		if strings.Count(log.String(), "level=ERROR") != 1 {
			t.Errorf("%s: log: %s", name, log)
		}
		if _, err := theirs.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: it goes on", name)
		}
	}
}

// So it is with what is no answer at all.
func TestNoAnswer(t *testing.T) {
	long, err := message(toOpen, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(long[headSize-4:], maxMessage+1)
	for name, b := range map[string][]byte{
		"nothing": nil, "half a head": long[:5], "too long": long, "another kind": append([]byte{'x'}, make([]byte, headSize-1)...),
		"another request": append([]byte{toOpen, 2}, make([]byte, headSize-2)...),
	} {
		ours, theirs := net.Pipe()
		r, _ := newRemote(ours, of([]string{"/a"}))
		go func() {
			other{t, theirs}.request()
			_, _ = theirs.Write(b)
			theirs.Close()
		}()
		if objects, _, _ := r.Resolve(t.Context()); len(objects) != 1 || !r.lost {
			t.Errorf("%s: %v, lost: %v", name, objects, r.lost)
		}
	}
}

// TestDecodeIsBounded: text that is much shorter than what it would be in memory is refused
// before it is that.
func TestDecodeIsBounded(t *testing.T) {
	rows := []row{}
	text := "[" + strings.Repeat("null,", maxMessage/5-1) + "null]"
	if err := decode([]byte(text), &rows, maxAnswered); !errors.Is(err, errMalformed) || cap(rows) > 0 {
		t.Errorf("%v, %d rows", err, cap(rows))
	}
}

// canned is a connection that says the same to everybody, once.
type canned struct {
	net.Conn
	b []byte
}

func (c *canned) Read(b []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.b)
	c.b = c.b[n:]
	return n, nil
}

func (c *canned) Write(b []byte) (int, error)      { return len(b), nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) Close() error                     { return nil }

// FuzzAnswers: whatever a resolver sends, there are objects that make sense.
func FuzzAnswers(f *testing.F) {
	b, err := message(toOpen, 1, good())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	assets := of([]string{"/a"}, nil, []string{"/c"})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _ := newRemote(&canned{b: b}, assets)
		defer r.Close()
		for range 3 {
			objects, fds, _ := r.Resolve(context.Background())
			if len(objects) != len(fds) || len(objects) > domainid.MaxObjects {
				t.Fatalf("%d objects, %d descriptors", len(objects), len(fds))
			}
			for i, o := range objects {
				if o.Asset < -1 || o.Asset > 2 || o.Parent < -1 || int(o.Parent) >= len(objects) || fds[i] < -1 || o.Path[0] != '/' {
					t.Errorf("%+v, descriptor %d", o, fds[i])
				}
			}
		}
	})
}

// FuzzRequests: whatever is asked, the resolver answers it or ends, with nothing open.
func FuzzRequests(f *testing.F) {
	for _, q := range []question{{{[]byte("/etc/ssh/*_key")}, {}}, {{[]byte("/etc/[")}}, {{[]byte("x")}}, {{[]byte("/\x00")}}} {
		b, err := message(toOpen, 1, q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, b...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := numOpen(t)
		_ = Serve(&canned{b: b}, "/sys/kernel/mm")
		allClosed(t, before)
	})
}

// A question has the most that a configuration can ask for, and an answer the most that there
// can be to it.
func TestLongest(t *testing.T) {
	long := "/" + strings.Repeat("x", 4094)
	var assets []domainid.Asset
	for range domainid.MaxAssets {
		assets = append(assets, domainid.Asset{Paths: slices.Repeat([]string{long}, 32)})
	}
	b, err := message(toOpen, 1, questionOf(assets))
	if err != nil {
		t.Fatal(err)
	}
	var q question
	if err := json.Unmarshal(b[headSize:], &q); err != nil {
		t.Fatal(err)
	}
	if got, err := q.assets(); err != nil || len(got) != len(assets) || got[19].Paths[31] != long {
		t.Errorf("%d assets, %v", len(got), err)
	}
	var answer table
	for range domainid.MaxObjects {
		answer.add(domainid.Object{Path: long, Kind: domainid.ObjectDirectory, Parent: -1}, 1)
	}
	if _, err := message(toOpen, 1, rowsOf(answer)); err != nil {
		t.Error(err)
	}
}
