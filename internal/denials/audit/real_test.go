// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/denials/audit"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/provoke"
	"github.com/landlockd/landlockd/test/testenv"
)

// needAudit skips what needs root and a kernel whose audit knows Landlock.
func needAudit(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what needs root and switches audit on")
	}
	abi, err := landlock.ABI()
	if err != nil || abi < 7 {
		t.Skipf("Landlock of ABI %d (%v) writes no audit records: Linux 6.15 has 7", abi, err)
	}
	testenv.NeedRoot(t)
}

// listener counts the denials of one domain: on a shared host there are others.
type listener struct {
	mu      sync.Mutex
	domains map[domainid.ID]*heard
}

type heard struct {
	denials  uint64
	blockers denials.Blockers
	last     denials.Event
	strange  uint64 // not who or what was meant
}

func (l *listener) hear(e *denials.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.domains[e.Domain]
	if h == nil {
		h = &heard{}
		l.domains[e.Domain] = h
	}
	h.denials++
	for b := range e.Blockers.All() {
		h.blockers.Add(b)
	}
	if h.denials > 1 && (e.PID != h.last.PID || e.Object.Kind != h.last.Object.Kind || e.Comm != h.last.Comm) {
		h.strange++
	}
	h.last = *e
}

func (l *listener) of(id domainid.ID) heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.domains[id]; h != nil {
		return *h
	}
	return heard{}
}

// switchOn has audit on until the test ends.
func switchOn(t *testing.T) {
	t.Helper()
	restore, err := provoke.SwitchOn(exec.Command(self(t), guardRole))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := restore(); err != nil {
			t.Error(err)
		}
	})
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func openReader(t *testing.T) *audit.Reader {
	t.Helper()
	f, err := audit.Open()
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.NewReader(f, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func run(t *testing.T, r *audit.Reader, f func(*denials.Event)) {
	t.Helper()
	done := make(chan bool)
	go func() {
		r.Run(f)
		close(done)
	}()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func startChild(t *testing.T, blocker string) *provoke.Child {
	t.Helper()
	c, err := provoke.Start(exec.Command(self(t), provokeRole, blocker, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("the child ends with %v", err)
		}
	})
	return c
}

// domainOf returns the domain of a process, as the task iterator reads it.
func domainOf(t *testing.T, src *taskiter.Source, pid int32) domainid.Domain {
	t.Helper()
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		snap, err := src.Scan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p := snap.Find(pid)
		if p == nil {
			t.Fatalf("process %d is gone", pid)
		}
		for _, task := range snap.TasksOf(p) {
			if task.State == scan.Sandboxed && task.Domain >= 0 {
				return snap.Domains[task.Domain]
			}
		}
	}
	t.Fatalf("process %d is in no domain", pid)
	return domainid.Domain{}
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for began := time.Now(); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("not after a minute: %s", what)
		}
	}
}

// Ten thousand denials for each reason that this kernel has are counted exactly, with
// who was denied, and nothing is lost.
func TestEveryBlockerIsCountedExactly(t *testing.T) {
	needAudit(t)
	src, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	switchOn(t)
	before, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	r := openReader(t)
	l := &listener{domains: map[domainid.ID]*heard{}}
	run(t, r, l.hear)
	const n = 10_000
	for _, blocker := range provoke.Kinds(landlock.Rights().Sure) {
		t.Run(blocker, func(t *testing.T) {
			c := startChild(t, blocker)
			id := domainOf(t, src, c.PID()).ID
			if err := c.Provoke(n); err != nil {
				t.Fatal(err)
			}
			domain := domainOf(t, src, c.PID())
			least, most := provoke.Denials(blocker, n)
			if domain.Denials < least || domain.Denials > most {
				t.Errorf("the kernel counted %d denials, want %d to %d", domain.Denials, least, most)
			}
			eventually(t, "all denials are told", func() bool { return l.of(id).denials >= domain.Denials })
			h := l.of(id)
			if names := h.blockers.Names(); h.denials != domain.Denials || len(names) != 1 || names[0] != blocker {
				t.Errorf("told of %d denials by %v, the kernel counted %d by %s", h.denials, names, domain.Denials, blocker)
			}
			// On a busy host a system call may return too late for its record.
			if h.last.PID != c.PID() || h.last.Exe.String() != self(t) || h.strange > n/100 {
				t.Errorf("denied is %d, %s (%s), want %d, %s; %d others", h.last.PID, h.last.Exe.String(), h.last.Comm.String(), c.PID(), self(t), h.strange)
			}
			checkObject(t, blocker, &h.last)
		})
	}
	if lost := r.Lost(); lost != 0 {
		t.Errorf("%d records were lost", lost)
	}
	if after, err := audit.ReadState(); err != nil || after.Lost != before.Lost {
		t.Errorf("the kernel lost %d records (%v)", after.Lost-before.Lost, err)
	}
	if !r.Active() {
		t.Error("audit is on, but the reader does not know")
	}
}

// checkObject compares what was accessed with what package provoke accesses.
func checkObject(t *testing.T, blocker string, e *denials.Event) {
	t.Helper()
	o := &e.Object
	class, _, _ := strings.Cut(blocker, ".")
	switch {
	case blocker == "scope.abstract_unix_socket":
		if o.Kind != denials.Socket || !strings.HasPrefix(o.Text.String(), "@") || !strings.HasSuffix(o.Text.String(), provoke.AbstractName) {
			t.Errorf("object is %v %q", o.Kind, o.Text.String())
		}
	case class == "net":
		if o.Kind != denials.Port || o.Port != provoke.Port {
			t.Errorf("object is %v %d", o.Kind, o.Port)
		}
	case class == "fs":
		if o.Kind != denials.File || o.Text.String() == "" {
			t.Errorf("object is %v %q", o.Kind, o.Text.String())
		}
	default:
		if o.Kind != denials.Task || o.PID != int32(os.Getpid()) {
			t.Errorf("object is %v %d, want %d", o.Kind, o.PID, os.Getpid())
		}
	}
}

// A flood costs no memory, and what is not read is counted: by the socket, or by
// the kernel before it sends anything.
func TestFlood(t *testing.T) {
	needAudit(t)
	switchOn(t)
	before, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	r := openReader(t)
	m := denials.NewMonitor(denials.Options{Feed: r, WorkloadLimit: 10})
	t.Cleanup(func() { _ = m.Close() })
	c := startChild(t, "fs.read_file")
	if err := c.Provoke(1000); err != nil {
		t.Fatal(err)
	}
	readFile, _ := denials.NewNames()["fs.read_file"]
	told := func() uint64 { return m.Stats().ByBlocker[readFile] }
	eventually(t, "the first denials are told", func() bool { return told() >= 1000 })

	const n = 1_000_000
	heap, resident := memory(t)
	var peak, peakResident uint64
	for range 100 {
		if err := c.Provoke(n / 100); err != nil {
			t.Fatal(err)
		}
		h, rss := memory(t)
		peak, peakResident = max(peak, h), max(peakResident, rss)
	}
	stood, since := told(), time.Now()
	eventually(t, "no more denials are told", func() bool {
		if now := told(); now != stood {
			stood, since = now, time.Now()
		}
		return time.Since(since) > time.Second
	})
	after, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	lost := m.Stats().Lost
	kernels := uint64(after.Lost - before.Lost)
	t.Logf("%d told, %d records lost by the socket, %d by the kernel; heap %d kB, at most %d kB; resident %d kB, at most %d kB",
		told(), lost, kernels, heap>>10, peak>>10, resident>>10, peakResident>>10)
	if sum := told() + lost + kernels; sum < n+1000 {
		t.Errorf("%d of %d denials are neither told nor counted as lost", n+1000-sum, n+1000)
	}
	if told() < n/100 {
		t.Errorf("only %d were told", told())
	}
	const slack = 4 << 20
	if peak > heap+slack || peakResident > resident+2*slack {
		t.Errorf("memory grew: heap from %d to %d, resident from %d to %d", heap, peak, resident, peakResident)
	}
	if recent := m.Recent(); len(recent) == 0 || len(recent) > 256 || recent[0].Blockers[0] != "fs.read_file" {
		t.Errorf("recent denials: %d", len(recent))
	}
}

// Whoever has the socket gets no other records, and cannot change that.
func TestFilterIsLocked(t *testing.T) {
	needAudit(t)
	f, err := audit.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.SetsockoptInt(int(f.Fd()), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("the filter is taken away: %v", err)
	}
}

// What a socket has no room for is counted, exactly.
func TestFullSocket(t *testing.T) {
	needAudit(t)
	switchOn(t)
	before, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	r := openReader(t)
	c := startChild(t, "fs.read_file")
	const n = 40_000 // each has two records that are read
	if err := c.Provoke(n); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kernel has sent all", func() bool { return backlog(t) == 0 })
	var records atomic.Uint64
	l := &listener{domains: map[domainid.ID]*heard{}}
	run(t, r, func(e *denials.Event) {
		records.Add(1)
		l.hear(e)
	})
	told, since := uint64(0), time.Now()
	eventually(t, "no more are told", func() bool {
		if now := records.Load(); now != told {
			told, since = now, time.Now()
		}
		return told > 0 && time.Since(since) > 2*time.Second
	})
	after, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	lost, kernels := r.Lost(), uint64(after.Lost-before.Lost)
	t.Logf("%d told, %d records lost by the socket, %d by the kernel", told, lost, kernels)
	if lost == 0 {
		t.Error("the socket had room for all: this test shows nothing")
	}
	if told+lost+kernels < n {
		t.Errorf("%d of %d denials are neither told nor counted as lost", n-told-lost-kernels, n)
	}
	// Beside denials, records of system calls were lost, and those of others.
	if told+lost > 3*n {
		t.Errorf("%d told and %d lost of %d denials", told, lost, n)
	}
	if again := r.Lost(); again < lost {
		t.Errorf("the number of lost records fell from %d to %d", lost, again)
	}
}

// backlog is the number of records that wait in the kernel.
func backlog(t *testing.T) uint32 {
	t.Helper()
	s, err := audit.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	return s.Backlog
}

// memory returns the heap in use after a collection, and resident memory.
func memory(t *testing.T) (heap, resident uint64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return m.HeapAlloc, pages * uint64(os.Getpagesize())
}
