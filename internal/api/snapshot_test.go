// SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/test/hosts"
)

// TestSnapshotIsTheHosts: what is asked for comes back as it is, names that others chose too.
func TestSnapshotIsTheHosts(t *testing.T) {
	h := hosts.Mixed()
	var b strings.Builder
	if err := recorded.Write(&b, &h.Snapshot, recorded.Options{}); err != nil {
		t.Fatal(err)
	}
	s, err := AskSnapshot(t.Context(), answering(t, ok(b.String())))
	if err != nil || len(s.Processes) != len(h.Processes) || s.Count() != h.Count() {
		t.Fatalf("%+v, %v", s, err)
	}
	// One that was cut is none, and neither is something else.
	for text, want := range map[string]string{
		ok(b.String())[:b.Len()/2]:  "unexpected EOF",
		ok(`{"schema":"x"}`):        "not a snapshot",
		ok(b.String()[:b.Len()/2]):  "ends too early",
		ok(b.String() + b.String()): "behind the snapshot",
	} {
		if s, err := AskSnapshot(t.Context(), answering(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %+v, %v; want %s", len(text), s, err, want)
		}
	}
}

// TestSnapshotThatCannotBeWritten: the connection of whoever reads too slowly is closed in the
// middle of the answer, which then is not whole for any reader of HTTP.
func TestSnapshotThatCannotBeWritten(t *testing.T) {
	s := NewServer(Options{})
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{ErrorLog: s.http.ErrorLog, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serveSnapshot(&failing{ResponseWriter: w}, r, &hosts.Mixed().Snapshot)
	})}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = web.Close() })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	resp, err := client.Get("http://x" + snapshotPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(text) == 0 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// failing takes half of what is written, flushes that, and fails.
type failing struct{ http.ResponseWriter }

func (f *failing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b[:len(b)/2])
	f.ResponseWriter.(http.Flusher).Flush()
	return n, cmp.Or(err, io.ErrShortWrite)
}
