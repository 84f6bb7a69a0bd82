// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// limitedServer serves at a listener with a limit of connections; an answer at /slow waits
// for the returned channel.
func limitedServer(t *testing.T, most int) (addr string, slow chan bool) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow = make(chan bool)
	server := &http.Server{ConnContext: withConn, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer answering(r.Context())()
		if r.URL.Path == "/slow" {
			<-slow
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(limit(inner, most)) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return inner.Addr().String(), slow
}

func dial(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(c net.Conn) (int, error) {
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// TestLimit: who keeps the server waiting longest makes room, and nobody who waits for it.
func TestLimit(t *testing.T) {
	addr, slow := limitedServer(t, 3)
	answered := dial(t, addr, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	first := dial(t, addr, "GET / HTTP/1.1\r\n")
	time.Sleep(grace)
	second := dial(t, addr, request)
	if status, err := answer(second); status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	third := dial(t, addr, request)
	if status, err := answer(third); status != http.StatusOK {
		t.Errorf("beyond the limit: %d, %v", status, err)
	}
	if _, err := answer(first); err == nil {
		t.Error("the one that had waited longest is open")
	}
	slow <- true
	if status, err := answer(answered); status != http.StatusOK {
		t.Errorf("the one that was being answered: %d, %v", status, err)
	}
}

// TestLimitOfTLS: whose turn it is is known of a connection with TLS, too.
func TestLimitOfTLS(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limit(inner, 1)
	defer l.Close()
	dial(t, inner.Addr().String(), "")
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	done := answering(withConn(t.Context(), tls.Server(accepted, &tls.Config{})))
	if l.longest() != nil {
		t.Error("one that is being answered would make room")
	}
	for range 2 {
		done()
	}
	if l.longest() != accepted {
		t.Error("one that was answered would not")
	}
}

// TestLimitOfBusy: where all are being answered, the next one waits for room.
func TestLimitOfBusy(t *testing.T) {
	addr, slow := limitedServer(t, 2)
	var all []net.Conn
	for range 3 {
		all = append(all, dial(t, addr, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	time.Sleep(2 * grace)
	for range all {
		slow <- true
	}
	for _, c := range all {
		if status, err := answer(c); status != http.StatusOK {
			t.Errorf("%d, %v", status, err)
		}
	}
}
