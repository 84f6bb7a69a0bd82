// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/client"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/test/hosts"
)

// TestClient: answers come as they are, and refusals by their word.
func TestClient(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	host := &hosts.Mixed().Snapshot
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/snapshot", func(w http.ResponseWriter, _ *http.Request) {
		if err := recorded.Write(w, host, recorded.Options{}); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/v1/processes", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"asked":%q}`, r.URL.RawQuery)
	})
	mux.HandleFunc("/v1/log", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "{\"event\":\"start\"}\n{\"asked\":%q}\n", r.URL.RawQuery)
	})
	mux.HandleFunc("/v1/cut", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"a":`) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"schema":"landlockd/error/v1","error":"not_allowed","message":"no"}`)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })

	s, err := client.Snapshot(t.Context(), socket)
	if err != nil || s.Count() != host.Count() {
		t.Errorf("%+v, %v", s, err)
	}
	var got struct{ Asked string }
	text, err := client.Get(t.Context(), socket, "/v1/processes?workload=a")
	if err != nil || json.Unmarshal(text, &got) != nil || got.Asked != "workload=a" {
		t.Errorf("%s, %v", text, err)
	}
	// Lines are the caller's to keep, and its error ends the log.
	var lines []json.RawMessage
	keep := func(line json.RawMessage) error { lines = append(lines, line); return nil }
	if err := client.Log(t.Context(), socket, "last=2", keep); err != nil || len(lines) != 2 ||
		string(lines[0]) != `{"event":"start"}` || string(lines[1]) != `{"asked":"last=2"}` {
		t.Errorf("%s, %v", lines, err)
	}
	enough := errors.New("enough")
	if err := client.Log(t.Context(), socket, "", func(json.RawMessage) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	var refused *client.Refused
	if _, err := client.Get(t.Context(), socket, "/v1/x"); !errors.As(err, &refused) || refused.Word != "not_allowed" {
		t.Errorf("%v", err)
	}
	if text, err := client.Get(t.Context(), socket, "/v1/cut"); err == nil {
		t.Errorf("%s is taken for an answer", text)
	}
	if _, err := client.Get(t.Context(), filepath.Join(t.TempDir(), "none"), "/v1/rules"); !errors.Is(err, client.ErrAbsent) {
		t.Errorf("%v", err)
	}
}
