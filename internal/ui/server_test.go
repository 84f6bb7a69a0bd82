// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

const address = "127.0.0.1:4711"

// sightOf is what is seen of a host.
func sightOf(snap *scan.Snapshot) *Sight {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector.Scrape{
		Snapshot: snap, Workloads: &collector.WorkloadOptions{Limit: 5}, Daemon: &collector.Daemon{},
	})
	return &Sight{Snapshot: snap, Metrics: registry, From: "By the test"}
}

func newServer(snap *scan.Snapshot) (*Server, string) {
	s, open := New(Options{
		Address: address, Interval: time.Second,
		Look: func() (*Sight, error) { return sightOf(snap), nil },
		Explain: func(_ *Sight, p *scan.Process) (string, error) {
			return fmt.Sprintf("Process %d\n", p.PID), errors.New("not all is known")
		},
	})
	return s, strings.TrimPrefix(open, "http://"+address)
}

// client is a browser, or something that is like one.
type client struct {
	*testing.T
	http.Handler
	host, cookie, key string
}

func (c *client) do(method, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.Context(), method, target, nil)
	r.Host = c.host
	if c.cookie != "" {
		r.Header.Set("Cookie", c.cookie)
	}
	if c.key != "" {
		r.Header.Set(keyHeader, c.key)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// enter opens the address that is printed.
func enter(t *testing.T, s *Server, open string) *client {
	t.Helper()
	c := &client{T: t, Handler: s, host: address}
	w := c.do("GET", open)
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Domain != "" {
		t.Errorf("the cookie is %s", cookie)
	}
	to, key, _ := strings.Cut(w.Header().Get("Location"), "#")
	if to != "/" || key == "" {
		t.Errorf("it leads to %s", w.Header().Get("Location"))
	}
	c.cookie, c.key = cookie.Name+"="+cookie.Value, key
	return c
}

var facts = []string{"/overview", "/processes", "/explain?process="}

// Whoever has not opened what was printed gets nothing, whatever he asks and whatever he is called.
func TestGuard(t *testing.T) {
	s, open := newServer(&hosts.Mixed().Snapshot)
	stranger := &client{T: t, Handler: s, host: address}
	refused := func(target string) {
		t.Helper()
		w := stranger.do("GET", target)
		if w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
	for _, token := range []string{"", "x", strings.Repeat("A", 26)} {
		refused("/?token=" + token)
	}
	refused(open + "x")
	c := enter(t, s, open)
	refused(open) // it was used
	want := func(who *client, what string, status int, targets ...string) {
		t.Helper()
		for _, target := range targets {
			if w := who.do("GET", target); w.Code != status {
				t.Errorf("%s, %s: %d, want %d", what, target, w.Code, status)
			}
		}
	}
	shells := []string{"/", "/ui.js", "/ui.css"}
	want(c, "who was let in", 200, append(shells, facts[:2]...)...)
	want(stranger, "a stranger", 403, append(shells, facts...)...)
	want(&client{t, s, address, c.cookie, ""}, "with the cookie alone", 403, facts...)
	want(&client{t, s, address, "", c.key}, "with the key alone", 403, append(shells, facts...)...)
	want(&client{t, s, address, c.cookie + "x", c.key}, "with another cookie", 403, facts...)
	for _, host := range []string{
		"evil.example:4711", "localhost:4711", "127.0.0.1", "127.0.0.1:4712", "",
	} {
		want(&client{t, s, host, c.cookie, c.key}, "as "+host, 421, append(shells, facts...)...)
	}
	want(c, "who was let in", 404, "/nowhere", "/ui.js/", "/explain?process=1-1", "/explain?process=x")
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if w := c.do(method, "/processes"); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	w := c.do("GET", "/")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
		strings.Contains(csp, "unsafe") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", w.Header())
	}
}

// Of many who have the token, one is let in.
func TestTokenIsForOne(t *testing.T) {
	s, open := newServer(&hosts.Mixed().Snapshot)
	var in atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c := &client{T: t, Handler: s, host: address}
			if c.do("GET", open).Code == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d were let in", in.Load())
	}
}

// What is served of processes does nothing, whatever they are called, and is that of the list.
func TestProcesses(t *testing.T) {
	h := hosts.RandomNames(rand.New(rand.NewPCG(1, 2)), 300)
	s, open := newServer(&h.Snapshot)
	c := enter(t, s, open)
	var got processesJSON
	if err := json.Unmarshal(c.do("GET", "/processes").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Processes) != len(h.Processes) || len(got.Notes) == 0 || got.Notes[0] != "By the test" {
		t.Fatalf("%d processes of %d, %q", len(got.Processes), len(h.Processes), got.Notes)
	}
	for i, p := range got.Processes {
		if what := hosts.Unsafe(p.Command + p.Workload + p.Domain + p.State); what != "" {
			t.Errorf("%+v has %s", p, what)
		}
		if int(p.Up) >= i {
			t.Errorf("%d stands before its parent", p.PID)
		}
		w := c.do("GET", "/explain?process="+url.QueryEscape(p.Key))
		if want := fmt.Sprintf("Process %d\n\nnot all is known\n", p.PID); w.Body.String() != want {
			t.Errorf("explained: %q, want %q", w.Body, want)
		}
	}
	if w := c.do("GET", "/overview"); !strings.Contains(w.Body.String(), `<div id="rest">`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A host is looked at when somebody asks, and not as often as somebody asks.
func TestEyes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, err := 0, error(nil)
		e := eyes{rest: time.Second, look: func() (*Sight, error) {
			looks++
			return sightOf(&hosts.Mixed().Snapshot), err
		}}
		see := func(want int, wantErr error) {
			t.Helper()
			for range 3 {
				if _, got := e.see(); looks != want || !errors.Is(got, wantErr) {
					t.Errorf("%d looks, want %d; %v", looks, want, got)
				}
			}
		}
		time.Sleep(time.Minute)
		see(1, nil)
		time.Sleep(time.Second)
		err = errors.New("gone")
		see(2, err)
		time.Sleep(time.Second)
		err = nil
		see(3, nil)
	})
}
