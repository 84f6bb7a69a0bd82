// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// connect opens a connection that ends with the test.
func connect(t testing.TB, d *daemon) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// descriptors counts those of the daemon.
func (d *daemon) descriptors(t testing.TB) int {
	t.Helper()
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.cmd.Process.Pid))
	if err != nil || len(open) == 0 {
		t.Fatalf("no descriptors: %v", err)
	}
	return len(open)
}

// TestSlowClients: more clients than are served at a time, who send a request byte for
// byte, or none, or do not read the answer, delay a scrape until they time out, and leave
// nothing behind.
func TestSlowClients(t *testing.T) {
	d, _ := startWatched(t, daemonOptions{})
	before := d.descriptors(t)
	var slow []net.Conn
	for i := range 300 {
		c := connect(t, d)
		slow = append(slow, c)
		switch i % 3 {
		case 0:
			_, _ = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-")
		case 1:
			_, _ = io.WriteString(c, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 50))
		}
	}
	stop := make(chan bool)
	var drip sync.WaitGroup
	drip.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Millisecond):
			}
			for _, c := range slow {
				_, _ = io.WriteString(c, "a") // closed at some time
			}
		}
	})
	// What they asked for takes turns with others' scrapes.
	eventually(t, "a scrape is served", func() bool {
		status, page := d.try("/metrics")
		if status == http.StatusOK {
			parseMetrics(t, page).checkWitnesses(t)
		}
		return status == http.StatusOK
	})
	close(stop)
	drip.Wait()
	for _, c := range slow {
		c.Close()
	}
	eventually(t, "their descriptors are closed", func() bool { return d.descriptors(t) <= before+2 })
	d.scrape(t).checkWitnesses(t)
	d.stop(t)
}

// TestHugeHeaders: requests of any size and form are refused, and cost no memory.
func TestHugeHeaders(t *testing.T) {
	d, _ := startWatched(t, daemonOptions{prefix: limitedMemory(t)})
	settle(t, d)
	resident := residentMemory(t, d.cmd.Process.Pid)
	endless := strings.Repeat("A", 1<<20)
	for name, request := range map[string]string{
		"one header":   "GET /metrics HTTP/1.1\r\nHost: x\r\nX-A: " + endless,
		"many headers": "GET /metrics HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: a\r\n", 100_000) + "\r\n",
		"path":         "GET /" + endless + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"method":       endless + " / HTTP/1.1\r\nHost: x\r\n\r\n",
		"binary":       "\x00\xff\x16\x03\x01" + endless,
		"two lengths":  "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n",
		"smuggled":     "POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\nzz\r\n",
		"HTTP/2":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"body":         "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n" + endless,
		"encodings":    "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + strings.Repeat("gzip,", 2000) + "\r\nAccept: " + strings.Repeat("text/plain;q=0.1,", 500) + "\r\nConnection: close\r\n\r\n",
	} {
		for range 10 {
			c := connect(t, d)
			_ = c.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(c, request) // the answer may come before all is sent
			if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				resp.Body.Close()
				if ok := resp.StatusCode == http.StatusOK; ok != (name == "encodings") {
					t.Errorf("%s: %s", name, resp.Status)
				}
			} else if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: no answer", name)
			}
			c.Close()
		}
	}
	d.scrape(t).checkWitnesses(t)
	if after := residentMemory(t, d.cmd.Process.Pid); after > resident+16<<10 {
		t.Errorf("resident: %d kB, before %d kB", after, resident)
	}
	if log := d.stderr.String(); strings.Contains(log, "AAAA") || strings.Contains(log, "level=ERROR") {
		t.Errorf("%.2000s", log)
	}
}

// TestTLSJunk: whatever comes at the place of a handshake, others are served.
func TestTLSJunk(t *testing.T) {
	dir := testenv.PublicDir(t)
	cert, key := certificate(t, 1)
	write(t, filepath.Join(dir, "tls.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "tls.key"), key, 0o644)
	web := write(t, filepath.Join(dir, "web.yml"), tlsConfig, 0o644)
	d, _ := startWatched(t, daemonOptions{args: []string{"--web.config.file=" + web, "--confine=require"}, client: tlsClient(t, cert)})
	hello := recordedHello(t)
	random := rand.New(rand.NewPCG(1, 2))
	before := d.descriptors(t)
	for i := range 600 {
		junk := append([]byte{}, hello...)
		switch i % 4 {
		case 0: // cut
			junk = junk[:random.IntN(len(junk))]
		case 1: // changed
			for range 1 + random.IntN(8) {
				junk[random.IntN(len(junk))] = byte(random.Uint32())
			}
		case 2: // no TLS at all
			junk = []byte("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		case 3:
			for j := range junk {
				junk[j] = byte(random.Uint32())
			}
		}
		c := connect(t, d)
		_, _ = c.Write(junk)
		if i%5 == 0 {
			continue // stays open
		}
		c.Close()
	}
	d.scrape(t).checkWitnesses(t)
	eventually(t, "those that stayed are closed", func() bool { return d.descriptors(t) <= before+2 })
	d.scrape(t).checkWitnesses(t)
	if log := d.stderr.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "handshake") {
		t.Errorf("%.2000s", log)
	}
	d.stop(t)
}

// recordedHello is what a client of TLS sends first.
func recordedHello(t *testing.T) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		_ = tls.Client(there, &tls.Config{InsecureSkipVerify: true}).Handshake() // it ends with the pipe
		there.Close()
	}()
	b := make([]byte, 4096)
	n, err := here.Read(b)
	if err != nil || n < 50 {
		t.Fatalf("%d bytes: %v", n, err)
	}
	return b[:n]
}

// TestManyScrapes: of a thousand scrapes at once each gets what is true, or is asked to come
// back.
func TestManyScrapes(t *testing.T) {
	for _, flag := range []string{"--web.max-requests=10", "--web.max-requests=0"} {
		t.Run(flag, func(t *testing.T) {
			d, _ := startWatched(t, daemonOptions{prefix: limitedMemory(t), args: []string{flag}})
			before := d.descriptors(t)
			d.client.Timeout = 6 * patience // they take turns with each other, and with this test's own work
			var served, refused atomic.Int32
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() {
					// One that was slow made room for others, on a busy host.
					status, page := 0, ""
					for range 20 {
						if status, page = d.try("/metrics"); status != 0 {
							break
						}
						time.Sleep(pause)
					}
					switch status {
					case http.StatusOK:
						served.Add(1)
						parseMetrics(t, page).checkWitnesses(t)
					case http.StatusServiceUnavailable:
						refused.Add(1)
					}
				})
			}
			all.Wait()
			t.Logf("%d served, %d refused", served.Load(), refused.Load())
			if served.Load() < 10 || served.Load()+refused.Load() != 1000 || flag == "--web.max-requests=0" && refused.Load() > 0 {
				t.Errorf("%d were served, %d refused", served.Load(), refused.Load())
			}
			eventually(t, "their descriptors are closed", func() bool { return d.descriptors(t) <= before+2 })
			d.scrape(t).checkWitnesses(t)
			d.stop(t)
		})
	}
}

// TestHeldConnections: a client that holds as many connections as it can, and opens each anew
// that is closed, keeps nobody from scraping.
func TestHeldConnections(t *testing.T) {
	d, _ := startWatched(t, daemonOptions{})
	stop := make(chan bool)
	var all sync.WaitGroup
	for i := range 900 {
		all.Go(func() {
			for {
				c, err := net.Dial("tcp", d.addr)
				if err == nil {
					switch i % 3 {
					case 0:
						_, _ = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n") // not its end
					case 1:
						_, _ = io.WriteString(c, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n") // and not the next one
					}
					closed := make(chan bool)
					go func() {
						_, _ = io.Copy(io.Discard, c)
						close(closed)
					}()
					select {
					case <-closed:
					case <-stop:
					}
					c.Close()
				}
				select {
				case <-stop:
					return
				case <-time.After(5 * pause):
				}
			}
		})
	}
	time.Sleep(time.Second)
	// As long as Prometheus waits by default, and not for those before it to time out.
	d.client.Timeout = 10 * time.Second
	served := 0
	for range 10 {
		if status, page := d.try("/metrics"); status == http.StatusOK {
			parseMetrics(t, page).checkWitnesses(t)
			served++
		}
	}
	close(stop)
	all.Wait()
	d.client.Timeout = patience
	if served < 5 { // of a busy host
		t.Errorf("%d of 10 scrapes were served", served)
	}
}
