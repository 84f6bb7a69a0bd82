// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrain: whoever was accepted before the server stops gets an answer, and
// nobody is accepted after.
func TestDrain(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := newDrainable(limit(inner, 1))
	accepted := make(chan struct{}, 1)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				accepted <- struct{}{}
			}
		},
	}
	served, drained := make(chan error, 1), make(chan struct{})
	go func() { served <- server.Serve(listener) }()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-accepted
	go func() { drain(server, []*drainable{listener}); close(drained) }()
	<-listener.stopped
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	<-drained
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve returned %v", err)
	}
	if c, err := net.Dial("tcp", inner.Addr().String()); err == nil {
		c.Close()
		t.Error("a connection was accepted after the end")
	}
}

// pipes is a listener of connections that are in memory, whose time is a bubble's.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }
func (p pipes) Close() error   { close(p.closed); return nil }

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialed:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.dialed <- server
	return client
}

// stopWith has a server with a connection for each of clients, in a bubble that ends once all
// of them returned, and stops it. It returns how long the stop took.
func stopWith(t *testing.T, clients ...func(*testing.T, net.Conn)) (stopped time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := pipes{make(chan net.Conn), make(chan struct{})}
		s := Serve([]net.Listener{l}, http.NewServeMux(), "", slog.New(slog.DiscardHandler))
		var all sync.WaitGroup
		for _, client := range clients {
			c := l.dial()
			all.Go(func() {
				defer c.Close()
				client(t, c)
			})
		}
		synctest.Wait()
		start := time.Now()
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		stopped = time.Since(start)
		all.Wait()
	})
	return stopped
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// asking returns a client that sends its request after a while, and wants an answer that is
// its connection's last.
func asking(after time.Duration) func(*testing.T, net.Conn) {
	return func(t *testing.T, c net.Conn) {
		time.Sleep(after)
		if _, err := io.WriteString(c, request); err != nil {
			t.Error(err)
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("asked after %v: no answer: %v", after, err)
			return
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotFound || !res.Close {
			t.Errorf("asked after %v: status %d, last %t", after, res.StatusCode, res.Close)
		}
	}
}

func silent(_ *testing.T, c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// slow sends a byte of its request now and then.
func slow(_ *testing.T, c net.Conn) {
	for i := range request {
		if _, err := io.WriteString(c, request[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// idle asks at once, and keeps its connection.
func idle(t *testing.T, c net.Conn) {
	if _, err := io.WriteString(c, request); err != nil {
		t.Error(err)
	}
	silent(t, c)
}

// TestDrainOfLate: whoever was accepted before the stop gets an answer when it asks later,
// and the stop is over then.
func TestDrainOfLate(t *testing.T) {
	took := stopWith(t, asking(time.Second), idle, asking(time.Second), asking(2*time.Second))
	if took < 2*time.Second || took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestDrainOfIdle: nobody waits for one that was answered.
func TestDrainOfIdle(t *testing.T) {
	if took := stopWith(t, idle); took >= time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestDrainOfSilent: those that never ask, in the place of all that are allowed, hold a stop
// no longer than it may take, and take no answer from others: not from those among them, nor
// from the one beyond, which waits for one of them to make room.
func TestDrainOfSilent(t *testing.T) {
	clients := []func(*testing.T, net.Conn){asking(time.Second)}
	for len(clients) < MaxConnections {
		clients = append(clients, silent, slow)
	}
	clients = append(clients[:MaxConnections], asking(time.Second))
	if took := stopWith(t, clients...); took > stopTimeout {
		t.Errorf("the stop took %v", took)
	}
}

// crossing is a listener whose Accept has a connection while it is closed.
type crossing struct {
	pipes
	has chan net.Conn
}

func (c crossing) Accept() (net.Conn, error) {
	<-c.closed
	select {
	case accepted := <-c.has:
		time.Sleep(time.Second)
		return accepted, nil
	default:
		return nil, net.ErrClosed
	}
}

// TestDrainOfCrossing: whoever is being accepted as the server stops gets an answer.
func TestDrainOfCrossing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		l := crossing{pipes{closed: make(chan struct{})}, make(chan net.Conn, 1)}
		l.has <- server
		s := Serve([]net.Listener{l}, http.NewServeMux(), "", slog.New(slog.DiscardHandler))
		synctest.Wait()
		stopped := make(chan error)
		go func() { stopped <- s.Stop() }()
		asking(2*time.Second)(t, client)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
