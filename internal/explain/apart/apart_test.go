// SPDX-License-Identifier: Apache-2.0

package apart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/sockets"
	"github.com/landlockd/landlockd/internal/explain/target/targettest"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/test/testenv"
)

// What the child of a test does instead of looking, by the place of its procfs.
const (
	hangs  = "hangs"
	dies   = "dies"
	status = "status"
)

// TestMain is the child, too: Ask executes this program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == Command {
		if err := play(); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func play() error {
	var q Question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		return err
	}
	place := func(text string) *Answer {
		return &Answer{Place: &Place{q.Files[0], "/" + untrusted.Text(text)}}
	}
	lines := json.NewEncoder(os.Stdout)
	switch q.ProcFS {
	case hangs:
		_ = lines.Encode(place("first"))
		time.Sleep(time.Hour)
	case dies:
		_ = lines.Encode(place("first"))
		return errors.New("dies")
	case status:
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		var open []string
		for _, fd := range []int{0, 1, 2, leaked} {
			to, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			open = append(open, fmt.Sprint(to, " ", err == nil))
		}
		dir, _ := os.Getwd()
		session, _ := unix.Getsid(0)
		own := session == os.Getpid()
		return errors.Join(lines.Encode(place(fmt.Sprintf("%s\n%s\ndir %s\nown session %v\n%q",
			text, strings.Join(open, "\n"), dir, own, os.Environ()))), lines.Encode(&Answer{End: true}))
	}
	again, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return Serve(bytes.NewReader(again), os.Stdout)
}

// leaked is a descriptor that the parent inherited, and not meant to hand on.
const leaked = 77

func question(t *testing.T, procfs string) *Question {
	self := targettest.Self(t)
	return &Question{ProcFS: procfs, Process: sockets.Process{PID: self.PID, Start: self.Start}}
}

func ask(q *Question, limit time.Duration) (all []Answer, err error) {
	_, err = q.Ask(limit, func(a *Answer) { all = append(all, *a) })
	return all, err
}

// TestAsk: a child finds what is there.
func TestAsk(t *testing.T) {
	testenv.NeedRoot(t)
	q := question(t, "/proc")
	q.Threads = []int32{int32(os.Getpid())}
	if all, err := ask(q, time.Minute); err != nil || len(all) != 1 || all[0].Root.Path != "/" ||
		!slices.Equal(all[0].Root.TIDs, q.Threads) {
		t.Errorf("root directories: %+v, %v", all, err)
	}

	q = question(t, "/proc")
	var st unix.Stat_t
	if err := unix.Stat("/etc", &st); err != nil {
		t.Fatal(err)
	}
	q.Files = []explain.File{{Dev: uint64(st.Dev), Ino: st.Ino}} //nolint:unconvert // its width depends
	if all, err := ask(q, time.Minute); err != nil || len(all) != 1 || all[0].Place.Path != "/etc" ||
		all[0].Place.File != q.Files[0] {
		t.Errorf("paths: %+v, %v", all, err)
	}

	q = question(t, "/proc")
	q.Holders = []sockets.Process{q.Process}
	if _, err := ask(q, time.Minute); err != nil {
		t.Errorf("sockets: %v", err)
	}

	q = question(t, "/proc")
	q.Threads = []int32{1}
	q.Process.Start += 1e9
	if _, err := ask(q, time.Minute); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("of another process: %v", err)
	}
}

// TestAskEnds: a child that does not answer, or dies, is not waited for, and what it said
// before is passed on.
func TestAskEnds(t *testing.T) {
	for procfs, late := range map[string]bool{hangs: true, dies: false} {
		q := question(t, procfs)
		q.Files = []explain.File{{Dev: 1, Ino: 1}}
		limit := time.Minute
		if late {
			limit = 2 * time.Second
		}
		began := time.Now()
		all, err := ask(q, limit)
		if took := time.Since(began); err == nil || errors.Is(err, ErrLate) != late || took > 40*time.Second {
			t.Errorf("%s: %v after %s", procfs, err, took)
		}
		if len(all) != 1 || all[0].Place.Path != "/first" {
			t.Errorf("%s: %+v", procfs, all)
		}
		isAlone(t)
	}
}

// isAlone waits until no child is left: each has ended, or was killed.
func isAlone(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); errors.Is(err, unix.ECHILD) {
			return
		}
	}
	t.Error("a child is left")
}

// TestChildHasLittle: a child has no descriptor of its parent's, no terminal, and the
// capabilities alone that a look takes.
func TestChildHasLittle(t *testing.T) {
	testenv.NeedRoot(t)
	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil { // without CLOEXEC, as shells hand them on
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	if err := unix.Dup2(ends[1], leaked); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leaked)
	q := question(t, status)
	q.Files = []explain.File{{Dev: 1, Ino: 1}}
	all, err := ask(q, time.Minute)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	text := string(all[0].Place.Path)
	caps := fmt.Sprintf("%016x", 1<<unix.CAP_SYS_PTRACE|1<<unix.CAP_DAC_READ_SEARCH|1<<unix.CAP_FOWNER)
	for _, want := range []string{
		"CapPrm:\t" + caps, "CapEff:\t" + caps, "CapBnd:\t" + caps, "NoNewPrivs:\t1",
		"pipe:", "/dev/null true", "\n false\n", "dir /\n", "own session true", "[]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// FuzzRead: whatever a child answers, what is passed on is what was asked for.
func FuzzRead(f *testing.F) {
	f.Add(`{"root":{"tids":[1],"path":"/"}}` + "\n" + `{"end":true}` + "\n")
	f.Add(`{"place":{"file":{"Dev":1,"Ino":2},"path":"/etc"}}` + "\n" + `{"end":true,"error":"x"}`)
	f.Add(`{"socket":{"name":"\u0000x","holders":[1]}}` + "\n" + `{"end":true,"gaps":["x"]}`)
	f.Add(`{"socket":{"name":"/x","spot":{"above":[{"Dev":1,"Ino":1}]}}}` + "\n")
	f.Add(`{"end":true}{"end":true}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, q := range []Question{
			{Threads: []int32{1}}, {Files: []explain.File{{}}}, {Holders: []sockets.Process{{}}}, {},
		} {
			_, _ = q.read(strings.NewReader(text), func(a *Answer) {
				root := q.Threads != nil && len(a.Root.TIDs) > 0
				place := q.Files != nil && (a.Place.Path == "" || a.Place.Path[0] == '/')
				socket := q.Holders != nil && (a.Socket.Spot == nil) == (a.Socket.Name[0] == 0)
				if !root && !place && !socket {
					t.Errorf("%+v for %+v", a, q)
				}
			})
		}
	})
}
