// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// TestArrivals: each domain comes once, and what is there stays known at no cost.
func TestArrivals(t *testing.T) {
	a, snap := &Arrivals{}, nested()
	a.Note(snap)
	if all, n, _ := a.After(0); len(all) != 0 || n != 0 {
		t.Fatalf("%+v came with the first scan", all)
	}
	h := hosts.New()
	h.Snapshot = *snap
	h.Process(30, 1, "new\x1b", hosts.In(h.Domain(0xeee, 1)))
	h.Conclude() // which makes it another one
	a.Note(&h.Snapshot)
	all, n, lost := a.After(0)
	if len(all) != 1 || n != 1 || lost != 0 || all[0].Domain != 0xeee || all[0].Parent != 0xbbb || all[0].Depth != 3 || *all[0].PID != 30 || *all[0].Comm != "new\x1b" {
		t.Errorf("%+v, %d, %d", all, n, lost)
	}
	if allocs := testing.AllocsPerRun(100, func() { a.Note(&h.Snapshot) }); allocs != 0 {
		t.Errorf("%v allocations where nothing comes", allocs)
	}
	// What went and comes again is new; a burst is bounded, and its memory given back.
	a.Note(&hosts.New().Snapshot)
	for i := range 4 * maxArrivals {
		h.Domain(domainid.ID(0x10000+i), domainid.Outermost)
	}
	h.Conclude()
	a.Note(&h.Snapshot)
	came := uint64(len(h.Domains))
	if all, n, lost = a.After(1); len(all) != maxArrivals || n != 1+came || lost != came-maxArrivals {
		t.Errorf("%d, %d, %d of %d", len(all), n, lost, came)
	}
}

// askLog reads the log until a number of lines have come, the first one apart.
func askLog(t *testing.T, socket, query string, lines int) (got []LogLine) {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	err = AskLog(t.Context(), socket, q, func(l *LogLine) error {
		if got = append(got, *l); len(got) > lines && q.Get("follow") != "" {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		t.Fatalf("%s: %v", query, err)
	}
	if len(got) != lines+1 || got[0].Start == nil || got[0].Start.Runs != scan.RunsTracepoints {
		t.Fatalf("%s: %d lines: %+v", query, len(got), got)
	}
	return got[1:]
}

func words(lines []LogLine) string {
	var all []string
	for _, l := range lines {
		switch {
		case l.Run != nil:
			all = append(all, fmt.Sprintf("run %d", l.Run.PID))
		case l.Denial != nil:
			all = append(all, fmt.Sprintf("denial %d ×%d", l.Denial.PID, l.Denial.Count))
		case l.Domain != nil:
			all = append(all, "domain "+l.Domain.Domain.String())
		case l.Lost != nil:
			all = append(all, fmt.Sprintf("lost %d %s", l.Lost.Count, l.Lost.Of))
		}
	}
	return strings.Join(all, ", ")
}

// TestLog: what is remembered comes first, in the order of time, and then what happens.
func TestLog(t *testing.T) {
	h := newHost(t, ended(7), ended(8))
	t.Parallel() // it waits for scans; sockets are made one after the other, for the umask
	h.deny(t, 7, "/etc/shadow")
	h.arrivals.Note(&hosts.New().Snapshot)
	h.arrivals.Note(nested())
	t.Run("remembered", func(t *testing.T) {
		for query, want := range map[string]string{
			"only=runs":                 "run 8, run 7",
			"only=runs&last=1":          "run 7",
			"only=runs&pid=8":           "run 8",
			"only=denials":              "denial 7 ×2",
			"only=denials&pid=9":        "",
			"only=denials&workload=a":   "", // no such process is known
			"only=domains":              "domain aaa, domain bbb, domain ccc, domain ddd",
			"only=domains&pid=13":       "domain ccc",
			"only=domains&workload=w14": "domain ddd",
			"only=runs,denials&pid=7":   "denial 7 ×2, run 7",
			"last=0":                    "",
		} {
			t.Run(query, func(t *testing.T) {
				t.Parallel()
				n := 0
				if want != "" {
					n = strings.Count(want, ", ") + 1
				}
				if got := words(askLog(t, h.socket, query, n)); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	})
	// Each of 301 denials comes twice, more than are remembered, or is counted.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all, sum, enough := []LogLine{}, uint64(0), errors.New("enough")
	q := url.Values{"only": {"denials"}, "follow": {"true"}, "last": {"1"}}
	err := AskLog(ctx, h.socket, q, func(l *LogLine) error {
		switch all = append(all, *l); {
		case l.Start != nil:
			go func() {
				for i := range 301 {
					h.deny(t, int32(100+i), "/y")
				}
			}()
		case l.Lost != nil:
			sum += l.Lost.Count
		default:
			sum += l.Denial.Count
		}
		if sum == 2+2*301 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || words(all[1:2]) != "denial 7 ×2" {
		t.Errorf("%v; %d of %d: %.300s", err, sum, 2+2*301, words(all))
	}
}

// TestLogForm: each line has the documented form.
func TestLogForm(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/log-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, ended(7))
	h.deny(t, 7, "/etc/\xff\x1b[2J")
	h.arrivals.Note(&hosts.New().Snapshot)
	h.arrivals.Note(nested())
	lines := 0
	err = EachLine(t.Context(), h.socket, logPath, func(text []byte) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = schema.Validate(value)
		}
		if err == nil && hosts.Unsafe(string(text)) != "" {
			err = errors.New("it does something to a terminal")
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		lines++
		return nil
	})
	if err != nil || lines != 1+1+1+4 {
		t.Errorf("%d lines, %v", lines, err)
	}
	text, err := json.Marshal(LogLine{Event: "lost", Lost: &LogLost{LogRuns, 3}})
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err := errors.Join(err, schema.Validate(value)); err != nil {
		t.Error(err)
	}
}

// TestFollowersAreBounded: they leave room for others, and one that has gone makes room.
func TestFollowersAreBounded(t *testing.T) {
	h := newHost(t)
	t.Parallel() // it waits for scans; sockets are made one after the other, for the umask
	follow := url.Values{"follow": {"true"}}
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan bool), make(chan bool)
	for range maxFollowers {
		go func() {
			err := AskLog(ctx, h.socket, follow, func(l *LogLine) error {
				if l.Start != nil {
					started <- true
				}
				return nil
			})
			ended <- errors.Is(err, context.Canceled)
		}()
	}
	for range maxFollowers {
		<-started
	}
	var refused *Refused
	if err := AskLog(t.Context(), h.socket, follow, func(*LogLine) error { return nil }); !errors.As(err, &refused) || refused.Word != "busy" {
		t.Errorf("one too many: %v", err)
	}
	if status, _ := get(t, h.socket, snapshotPath); status != 200 {
		t.Errorf("beside them: %d", status)
	}
	cancel()
	for range maxFollowers {
		if !<-ended {
			t.Error("a follower that was cancelled does not say so")
		}
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) { // it finds out that they have gone
		err := AskLog(t.Context(), h.socket, follow, func(*LogLine) error { return context.Canceled })
		if errors.Is(err, context.Canceled) {
			return
		}
		if !errors.As(err, &refused) || time.Since(began) > time.Minute {
			t.Fatalf("after all have gone: %v", err)
		}
	}
}

// TestHostileRequests: a thousand requests of any kind, and as many connections as there can be
// that say nothing, keep nobody from his answer for long.
func TestHostileRequests(t *testing.T) {
	h := newHost(t)
	t.Parallel() // it waits for scans; sockets are made one after the other, for the umask
	var held []net.Conn
	hold := func(text string) {
		c, err := net.Dial("unix", h.socket)
		if err != nil {
			return // no room in the queue: that is as good
		}
		held = append(held, c)
		_, _ = c.Write([]byte(text))
	}
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	junk := []string{
		"\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET " + strings.Repeat("/..", 500) + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/snapshot HTTP/9.9\r\n\r\n",
		"POST /v1/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\nabc", "GET /v1/log?follow=true HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
		"GET /v1/processes/%00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/processes/-1 HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT /v1/log HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/denials?pid=" + strings.Repeat("9", 3000) + " HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/log?only=" + url.QueryEscape("runs,\x1b") + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 8000), "GET /v1/runs HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 500),
	}
	var wg sync.WaitGroup
	for part := range 20 {
		wg.Go(func() {
			for i := range 50 {
				c, err := net.DialTimeout("unix", h.socket, time.Second)
				if err != nil {
					continue
				}
				_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
				_, _ = c.Write([]byte(junk[(50*part+i)%len(junk)]))
				_, _ = c.Read(make([]byte, 1))
				c.Close()
			}
		})
	}
	wg.Wait()
	for i := range 500 {
		hold([]string{"", "GET /v1/sn", "GET /v1/log?follow=true HTTP/1.1\r\nHost: x\r\n\r\n"}[i%3])
	}
	// Those that say nothing are closed after five seconds, and followers are few.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		s, err := AskSnapshot(ctx, h.socket)
		if err == nil && s.Find(int32(os.Getpid())) != nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("no answer any more: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
