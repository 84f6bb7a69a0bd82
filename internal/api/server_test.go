// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
)

func decode(r io.Reader, into any) error { return json.NewDecoder(r).Decode(into) }

// feed yields denials that a test makes up.
type feed struct {
	events chan *denials.Event
	done   chan bool
}

func newFeed() *feed { return &feed{make(chan *denials.Event), make(chan bool)} }

func (f *feed) Run(to func(*denials.Event)) {
	for {
		select {
		case e := <-f.events:
			to(e)
		case <-f.done:
			return
		}
	}
}
func (f *feed) Active() bool { return true }
func (f *feed) Way() string  { return scan.DenialsAudit }
func (f *feed) Lost() uint64 { return 3 }
func (f *feed) Close() error { close(f.done); return nil }
func (f *feed) ByBlocker() (by [denials.NumBlockers]uint64, ok bool) {
	return by, false
}

// counted counts the scans of a source.
type counted struct {
	scan.Source
	n atomic.Int32
}

func (c *counted) Scan(ctx context.Context) (*scan.Snapshot, error) {
	c.n.Add(1)
	s, err := c.Source.Scan(ctx)
	if err == nil {
		s.Source.Runs = scan.RunsTracepoints
	}
	return s, err
}

// ends are processes that a test has ended.
type ends struct{ cells []runs.Cell }

func (e *ends) Drain() (d runs.Drained, err error) {
	d.Cells, e.cells = e.cells, nil
	return d, nil
}
func (e *ends) Ask([]time.Duration, bool) error { return nil }
func (e *ends) Mark([]runs.Process)             {}
func (e *ends) Filling() <-chan struct{}        { return nil }
func (e *ends) Close() error                    { return nil }

// host is a server of this host with denials and ends that a test makes up.
type host struct {
	socket string
	feed   *feed
	scans  *counted
	// arrivals are those that a test notes.
	arrivals *Arrivals
}

func newHost(t *testing.T, ended ...runs.Cell) *host {
	t.Helper()
	return newHostJudged(t, nil, ended...)
}

func newHostJudged(
	t *testing.T, judge func(*scan.Snapshot, policy.Options) *policy.Evaluation, ended ...runs.Cell,
) *host {
	t.Helper()
	return newHostOf(t, Options{Judge: judge, Runs: newTally(t, ended...)})
}

func newHostOf(t *testing.T, o Options) *host {
	t.Helper()
	testenv.NeedRoot(t)
	iterator, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{
		socket: filepath.Join(testenv.PublicDir(t), "s"), feed: newFeed(), scans: &counted{Source: iterator},
		arrivals: &Arrivals{},
	}
	m := denials.NewMonitor(denials.Options{Feed: h.feed})
	shared := scan.NewShared(denials.NewSource(h.scans, m), scan.SharedOptions{})
	o.Scans, o.Denials, o.Arrivals = shared, m, h.arrivals
	serve(t, h.socket, o)
	t.Cleanup(func() {
		shared.Close()
		_ = m.Close()
	})
	return h
}

// since is when counting began.
var since = time.Unix(1000, 0).UTC()

func newTally(t *testing.T, ended ...runs.Cell) *runs.Tally {
	t.Helper()
	rules, err := inforce.New(inforce.Options{Load: func() (*policy.Config, error) { return inforce.Load("") }})
	if err != nil {
		t.Fatal(err)
	}
	return runs.NewTally(runs.TallyOptions{
		Feed: &ends{ended}, Since: since, Rules: rules, WorkloadLimit: 100,
	})
}

func serve(t *testing.T, socket string, o Options) *Server {
	t.Helper()
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(o)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

func (h *host) deny(t *testing.T, pid int32, path string) {
	t.Helper()
	e := &denials.Event{Time: time.Unix(1000, 0), Domain: 0x123, PID: pid, Start: 5}
	e.Blockers.Add(denials.Ptrace)
	e.Object.Kind = denials.File
	e.Object.Text.Set([]byte(path))
	for range 2 { // the second is taken when the first one has been noted
		h.feed.events <- e
	}
}

// TestWhoIsAnswered: real processes ask, each in another state.
func TestWhoIsAnswered(t *testing.T) {
	h := newHost(t, ended(7))
	t.Parallel() // it waits for scans; sockets are made one after the other, for the umask
	h.deny(t, 7, "/etc/shadow")
	for _, path := range []string{denialsPath, runsPath, snapshotPath} {
		t.Run(path, func(t *testing.T) { h.answers(t, path) })
	}
}

func (h *host) answers(t *testing.T, path string) {
	const yes, no = "200 1", "403 not_allowed"
	itself := no // where an answer has the processes that the caller may see
	if path == snapshotPath {
		itself = yes
	}
	cases := []struct {
		name, role string
		prefix     []string
		attr       *syscall.SysProcAttr
		want       string
	}{
		{name: "root", role: "ask", want: yes},
		{name: "nobody", role: "ask-as-nobody", want: itself},
		{name: "a domain", role: "ask-in-a-domain", want: no},
		{name: "one thread in a domain", role: "ask-with-one-thread-in-a-domain", want: no},
		{name: "no CAP_SYS_PTRACE", role: "ask", prefix: []string{"setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"}, want: itself},
		{name: "CAP_SYS_PTRACE alone", role: "ask", prefix: []string{"setpriv", "--bounding-set=-all,+sys_ptrace,+dac_override", "--inh-caps=-all"}, want: yes},
		{name: "root of a user namespace", role: "ask", attr: &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{Size: 65536}}, GidMappings: []syscall.SysProcIDMap{{Size: 65536}},
		}, want: itself},
		{name: "root in a PID namespace", role: "ask", attr: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}, want: yes},
		{name: "a domain after it connected, and was seen without", role: "ask-before-and-after-a-domain", want: yes + "\n" + no},
		{name: "one that ended", role: "ask-for-one-that-ended", want: no},
	}
	var wg sync.WaitGroup
	for _, c := range cases {
		wg.Go(func() {
			args := append(append([]string{}, c.prefix...), "/proc/self/exe", playRole, c.role, h.socket, path)
			if len(c.prefix) > 0 {
				self, err := os.Executable()
				if err != nil {
					t.Error(err)
				}
				args[len(c.prefix)] = self
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.SysProcAttr = c.attr
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
				t.Errorf("%s: %q (%v), want %q", c.name, got, err, c.want)
			}
		})
	}
	wg.Wait()
}

// TestOthersCauseFewScans: whoever cannot be answered makes the host do nothing, and who is
// not root has it scanned once a second at most, however many requests he makes.
func TestOthersCauseFewScans(t *testing.T) {
	h := newHost(t)
	out, err := exec.Command("/proc/self/exe", playRole, "ask-as-nobody", h.socket, runsPath).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "403") || h.scans.n.Load() != 0 {
		t.Errorf("%q (%v), %d scans", out, err, h.scans.n.Load())
	}
	began := time.Now()
	out, err = exec.Command("/proc/self/exe", playRole, "ask-as-nobody-for-three-seconds", h.socket, snapshotPath).CombinedOutput()
	n, most := h.scans.n.Load(), int32(time.Since(began).Seconds())+2
	if err != nil || !strings.HasPrefix(string(out), "200 ") || n < 1 || n > most {
		t.Errorf("%q (%v), %d scans, want 1 to %d", out, err, n, most)
	}
	for range 3 {
		var wg sync.WaitGroup
		before := h.scans.n.Load()
		for range maxConnections / 2 {
			wg.Go(func() {
				if _, err := AskDenials(t.Context(), h.socket, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		// The first may have come before the others.
		if n := h.scans.n.Load() - before; n < 1 || n > 2 {
			t.Errorf("%d scans for requests at the same time", n)
		}
	}
}

func TestDenials(t *testing.T) {
	h := newHost(t)
	h.deny(t, 7, "/etc/shadow")
	h.deny(t, 8, "\xff\x1b[2J")
	d, err := AskDenials(t.Context(), h.socket, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d.Way != scan.DenialsAudit || !d.Fed || d.Lost != 3 || d.Remembered != 2 || len(d.Denials) != 2 {
		t.Errorf("%+v", d)
	}
	if x := d.Denials[0]; x.PID != 8 || x.Path != "\xff\x1b[2J" || x.Start != 5 || x.Domain != 0x123 || x.Blockers[0] != "ptrace" || !x.Time.Equal(time.Unix(1000, 0)) {
		t.Errorf("%+v", x)
	}
	for pid, want := range map[int32]int{7: 1, 9: 0} {
		d, err := AskDenials(t.Context(), h.socket, pid)
		if err != nil || len(d.Denials) != want || d.Remembered != 2 {
			t.Errorf("of process %d: %+v, %v", pid, d, err)
		}
	}
}

func get(t *testing.T, socket, target string) (int, string) {
	t.Helper()
	return send(t, socket, http.MethodGet, target)
}

func send(t *testing.T, socket, method, target string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	req, err := http.NewRequest(method, "http://x"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	kind := resp.Header.Get("Content-Type")
	if kind != "application/jsonl" && (kind != "application/json" || !json.Valid(body)) {
		t.Errorf("%s: %s: %s", target, kind, body)
	}
	return resp.StatusCode, string(body)
}

func TestRequests(t *testing.T) {
	h := newHost(t)
	for target, want := range map[string]int{
		"/v1/denials": 200, "/v1/denials?pid=1": 200,
		"/v1/denials?pid=0": 400, "/v1/denials?pid=": 400, "/v1/denials?pid=-1": 400, "/v1/denials?pid=99999999999": 400, "/v1/denials?pid=x%1b": 400,
		"/v1/denials?pid=1&pid=2": 400, "/v1/denials?x=1": 400, "/v1/denials?%zz": 400, "/v1/denials?rule=a": 400,
		"/v1/runs": 200, "/v1/runs?pid=1&workload=a%ff&rule=b": 200, "/v1/runs?pid=0": 400, "/v1/runs?rule=": 400,
		"/v1/runs?workload=a&workload=a": 400, "/v1/runs?state=partial": 400, "/v1/runs/": 404,
		"/v1/snapshot": 200, "/v1/snapshot?pid=1": 400,
		"/v1/snapshot?brief=true": 200, "/v1/snapshot?brief=false": 400, "/v1/snapshot?brief=": 400,
		"/v1/snapshot?brief=true&brief=true": 400, "/v1/snapshot?follow=true": 400, "/v1/runs?brief=true": 400,
		"/v1/denials/": 404, "/": 404, "/v2/denials": 404, "/metrics": 404,
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel() // each waits for a scan
			if status, body := get(t, h.socket, target); status != want {
				t.Errorf("%d, want %d: %s", status, want, body)
			}
		})
	}
}

func TestLongRequest(t *testing.T) {
	h := newHost(t)
	c, err := net.Dial("unix", h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /v1/denials?%s HTTP/1.1\r\nHost: x\r\n\r\n", strings.Repeat("x", 16<<10))
	if b, err := io.ReadAll(c); !strings.HasPrefix(string(b), "HTTP/1.1 431") {
		t.Errorf("a long request: %q, %v", b, err)
	}
}

// source returns what a test makes up.
type source struct {
	snap *scan.Snapshot
	err  error
}

func (s source) Scan(context.Context) (*scan.Snapshot, error) { return s.snap, s.err }
func (s source) Close() error                                 { return nil }

// TestNotTold: the source does not have what is needed, or cannot scan.
func TestNotTold(t *testing.T) {
	testenv.NeedRoot(t)
	me := scan.Process{PID: int32(os.Getpid()), State: scan.Unsandboxed}
	able := me
	able.Credentials.SysPtrace, able.UserNS = true, scan.InitUserNS
	for _, c := range []struct {
		name   string
		source scan.Source
		status int
		word   string
	}{
		{"no scan", source{err: fmt.Errorf("no")}, 503, "no_scan"},
		{"procattr", source{snap: &scan.Snapshot{Source: scan.SourceInfo{Name: procattr}, Processes: []scan.Process{me}}}, 403, "not_known"},
		{"no capability", source{snap: &scan.Snapshot{Processes: []scan.Process{me}}}, 403, "not_allowed"},
		{"not there", source{snap: &scan.Snapshot{}}, 403, "not_allowed"},
		{"able", source{snap: &scan.Snapshot{Processes: []scan.Process{able}}}, 200, Off},
	} {
		socket := filepath.Join(t.TempDir(), "s")
		shared := scan.NewShared(c.source, scan.SharedOptions{})
		defer shared.Close()
		serve(t, socket, Options{Scans: shared, RunsOff: true})
		for _, path := range []string{denialsPath, runsPath} {
			if status, body := get(t, socket, path); status != c.status || !strings.Contains(body, `"`+c.word+`"`) {
				t.Errorf("%s: %s: %d %s, want %d %s", c.name, path, status, body, c.status, c.word)
			}
		}
	}
}

// TestRunsNotHere: where the kernel cannot count, nobody has switched it off.
func TestRunsNotHere(t *testing.T) {
	testenv.NeedRoot(t)
	socket := filepath.Join(t.TempDir(), "s")
	snap := &scan.Snapshot{
		Source:    scan.SourceInfo{Runs: scan.RunsNone},
		Processes: []scan.Process{{PID: int32(os.Getpid()), State: scan.Unsandboxed, UserNS: scan.InitUserNS, Credentials: scan.Credentials{SysPtrace: true}}},
	}
	shared := scan.NewShared(source{snap: snap}, scan.SharedOptions{})
	defer shared.Close()
	serve(t, socket, Options{Scans: shared})
	if status, body := get(t, socket, runsPath); status != 200 || !strings.Contains(body, `"way":"none"`) {
		t.Errorf("%d %s", status, body)
	}
}

// TestConnectionsAreBounded: root is not kept out by others, and has an end, too.
func TestConnectionsAreBounded(t *testing.T) {
	testenv.NeedRoot(t)
	l, err := Listen(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	limited := newListener(l)
	limited.others = maxOthers
	accepted := make(chan net.Conn, 2*maxConnections)
	go func() {
		for {
			c, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	var clients []net.Conn
	for range maxConnections {
		c, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for range maxConnections {
		<-accepted
	}
	beyond, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer beyond.Close()
	if n, err := beyond.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("one too many: %d bytes, %v", n, err)
	}
	if len(accepted) != 0 || len(clients) != maxConnections {
		t.Error("more were accepted than there is room for")
	}
}

// TestRoomForUsers: none keeps another one out, nor do all together keep out root.
func TestRoomForUsers(t *testing.T) {
	l, peers := newListener(nil), []*peer{}
	enter := func(uid uint32) bool {
		p := &peer{uid: uid}
		in := l.enter(p)
		if in {
			peers = append(peers, p)
		}
		return in
	}
	for uid := uint32(1); uid <= maxOthers/maxOfUser; uid++ {
		for range maxOfUser {
			if !enter(uid) {
				t.Fatalf("no room for user %d", uid)
			}
		}
		if enter(uid) {
			t.Errorf("user %d has more than his share", uid)
		}
	}
	if enter(99) || !enter(0) {
		t.Error("want room for root alone")
	}
	for _, p := range peers {
		l.leave(p)
	}
	if l.root != 0 || l.others != 0 || len(l.users) != 0 {
		t.Errorf("all went, and %d, %d, %v are left", l.root, l.others, l.users)
	}
}
