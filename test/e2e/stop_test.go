// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestStopsOnSignals(t *testing.T) {
	testenv.NeedRoot(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		d := startDaemon(t, daemonOptions{})
		d.scrape(t)
		d.signal(t, s)
		if code := d.wait(t); code != 0 {
			t.Errorf("%v: exit code %d: %s", s, code, &d.stderr)
		}
		if strings.Contains(d.stderr.String(), "level=ERROR") {
			t.Errorf("%v: %s", s, &d.stderr)
		}
	}
}

// The daemon reports to nobody that it is ready once it stops, not even who had begun
// to ask.
func TestNotReadyWhileStopping(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	conn := begin(t, d)
	d.signal(t, syscall.SIGTERM)
	eventually(t, "the daemon stops listening", func() bool {
		c, err := net.Dial("tcp", d.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	_, _ = io.WriteString(conn, "\r\n") // it may be closed already
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("/-/ready while stopping: %s", resp.Status)
		}
	}
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, &d.stderr)
	}
}

// A client that never ends its request cannot keep the daemon from stopping.
func TestStopsInSpiteOfClients(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	begin(t, d)
	d.signal(t, syscall.SIGTERM)
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, &d.stderr)
	}
}

// begin sends the first part of a request.
func begin(t *testing.T, d *daemon) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /-/ready HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	// Connections are accepted in order: when this is answered, the other one was accepted.
	if status, _ := d.try("/-/healthy"); status != http.StatusOK {
		t.Fatalf("/-/healthy: %d", status)
	}
	return conn
}
