// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/exposition"
	"github.com/landlockd/landlockd/test/testenv"
)

// daemon is a running landlockd.
type daemon struct {
	*process
	addr, socket, config string
	client               *http.Client
}

// startDaemon starts one that scans for each scrape.
func startDaemon(t *testing.T, landlockd, rules string) *daemon {
	t.Helper()
	dir := testenv.PublicDir(t)
	d := &daemon{
		addr: testenv.FreeAddress(t), socket: filepath.Join(dir, "api.sock"), config: filepath.Join(dir, "landlockd.yml"),
		client: newClient(),
	}
	d.configure(t, rules)
	d.process = start(t, landlockd, "serve", "--web.listen-address="+d.addr, "--api.socket="+d.socket,
		"--config.file="+d.config, "--scan.min-interval=0s", "--web.max-requests=100", "--confine=require", "--log.level=warn")
	await(t, "the daemon is ready", func() bool {
		if d.ended() {
			t.Fatalf("the daemon ended: %s", &d.output)
		}
		resp, err := d.client.Get("http://" + d.addr + "/-/ready")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return d
}

// newClient returns a client that keeps a connection of its own.
func newClient() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{}}
}

// configure puts rules in force at the next reload.
func (d *daemon) configure(t *testing.T, rules string) {
	t.Helper()
	next := d.config + ".new"
	if err := os.WriteFile(next, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, d.config); err != nil {
		t.Fatal(err)
	}
}

func (d *daemon) hangUp(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatalf("the daemon has ended: %v: %s", err, &d.output)
	}
}

// scrape returns the samples, and how long they took.
func (d *daemon) scrape(t *testing.T) (exposition.Samples, time.Duration) {
	t.Helper()
	began := time.Now()
	resp, err := d.client.Get("http://" + d.addr + "/metrics")
	if err != nil {
		t.Fatalf("a scrape: %v: %s", err, &d.output)
	}
	page, err := io.ReadAll(resp.Body)
	took := time.Since(began)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("a scrape: %s %v: %s", resp.Status, err, page)
	}
	m, err := exposition.Parse(string(page))
	if err != nil {
		t.Fatalf("a scrape: %v", err)
	}
	return m, took
}

// cpu is the processor time that the daemon has taken.
func (d *daemon) cpu(t *testing.T) time.Duration {
	t.Helper()
	var ts unix.Timespec
	const scheduler = 2 // CPUCLOCK_SCHED of the kernel: the clock of a process, by its PID
	if err := unix.ClockGettime(int32(^d.cmd.Process.Pid<<3|scheduler), &ts); err != nil {
		t.Fatalf("the daemon's processor time: %v", err)
	}
	return time.Duration(ts.Nano())
}

// resident is the daemon's resident memory in kB.
func (d *daemon) resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// descriptors is how many descriptors the daemon has open.
func (d *daemon) descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
