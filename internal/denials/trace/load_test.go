// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// The programs load on a kernel without the tracepoints, too, and there can be run
// with arguments that are made up: masks are numbers, and pointers to nothing are
// read as zeros. The real ones are for the guests of test/kernels.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what needs root")
	}
	coll, err := load(btf.NewCache(), config{})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer coll.Close()
	r := readerOf(t, coll)
	told := make(chan denials.Event, 10_000)
	done := make(chan bool)
	go func() {
		defer close(done)
		r.Run(func(e *denials.Event) { told <- *e })
	}()

	self := uint64(os.Getpid())
	for _, c := range []struct {
		program string
		args    []uint64
		blocker []denials.Blocker
		kind    denials.ObjectKind
	}{
		{objectProgDenyFs, []uint64{0, 1, 1, 1 | 1<<31, 0, 0}, []denials.Blocker{0, 31}, denials.File},
		{objectProgDenyFs, []uint64{0, 1, 1, 0, 0, 0}, []denials.Blocker{denials.ChangeTopology}, denials.File},
		{objectProgDenyNet, []uint64{0, 1, 1, 2, 0, 0, 80}, []denials.Blocker{denials.RightBlocker(access.Net, 1)}, denials.Port},
		{objectProgDenyPtrace, []uint64{0, 1, 1, 0, 0}, []denials.Blocker{denials.Ptrace}, denials.Task},
		{objectProgDenySignal, []uint64{0, 1, 1, 0, 0}, []denials.Blocker{scopeBlocker(unix.LANDLOCK_SCOPE_SIGNAL)}, denials.Task},
		{objectProgDenyAbstract, []uint64{0, 1, 1, 0, 0}, []denials.Blocker{scopeBlocker(unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)}, denials.Socket},
	} {
		before, _ := r.ByBlocker()
		runProgram(t, coll.Programs[c.program], c.args)
		after, ok := r.ByBlocker()
		if !ok {
			t.Fatal("no counts")
		}
		var want denials.Blockers
		for _, b := range c.blocker {
			want.Add(b)
		}
		for b := range after {
			if got := after[b]-before[b] == 1; got != want.Has(denials.Blocker(b)) {
				t.Errorf("%s: %v counted: %v", c.program, denials.Blocker(b), got)
			}
		}
		select {
		case e := <-told:
			if e.Blockers != want || uint64(e.PID) != self || e.Start == 0 || e.Object.Kind != c.kind || time.Since(e.Time).Abs() > time.Minute {
				t.Errorf("%s: %+v", c.program, e)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s tells nothing", c.program)
		}
	}
	if !r.Active() || r.Way() != scan.DenialsTracepoints || r.Lost() != 0 {
		t.Errorf("%v %s %d", r.Active(), r.Way(), r.Lost())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	<-done

	// Nobody reads: what has no room is counted, and by its blocker, too.
	r = readerOf(t, coll)
	before, _ := r.ByBlocker()
	const n = 20_000
	for range n {
		runProgram(t, coll.Programs[objectProgDenyFs], []uint64{0, 1, 1, 1, 0, 0})
	}
	after, _ := r.ByBlocker()
	read := r.ring.read(func([]byte) {})
	if lost := r.Lost(); after[0]-before[0] != n || lost == 0 || uint64(read)+lost != n {
		t.Errorf("of %d denials %d are counted, %d read, %d lost", n, after[0]-before[0], read, lost)
	}
}

// readerOf returns a reader with links to something else: the tracepoints are
// not here.
func readerOf(t *testing.T, coll *ebpf.Collection) *Reader {
	t.Helper()
	var files []*os.File
	for _, m := range []string{objectMapEvents, objectMapCounts} {
		fd, err := unix.Dup(coll.Maps[m].FD())
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, os.NewFile(uintptr(fd), m))
	}
	for len(files) < NumFiles {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	r, err := NewReader(files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func runProgram(t *testing.T, p *ebpf.Program, args []uint64) {
	t.Helper()
	b := make([]byte, 0, 8*len(args))
	for _, a := range args {
		b = binary.NativeEndian.AppendUint64(b, a)
	}
	if _, err := p.Run(&ebpf.RunOptions{Context: b}); err != nil {
		t.Fatal(err)
	}
}

func TestNewReaderRefuses(t *testing.T) {
	if _, err := NewReader(nil); err == nil {
		t.Error("no descriptors are taken")
	}
	var files []*os.File
	for range NumFiles {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if _, err := NewReader(files); err == nil {
		t.Error("descriptors of another kind are taken")
	}
}

// A kernel without the tracepoints gives Absent, and one that has them lets
// programs be attached.
func TestOpen(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what needs root")
	}
	files, err := Open(btf.NewCache())
	var e *scan.Error
	switch {
	case err == nil && len(files) != NumFiles:
		t.Errorf("%d descriptors", len(files))
	case err != nil && (!errors.As(err, &e) || e.Reason != Absent):
		t.Error(err)
	}
	for _, f := range files {
		f.Close()
	}
}
