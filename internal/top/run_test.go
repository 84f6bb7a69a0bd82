// SPDX-License-Identifier: Apache-2.0

package top

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/vt"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
	"github.com/landlockd/landlockd/test/testenv"
)

// terminal is a real one, of which this test is the other side.
type terminal struct {
	master *os.File
	fd     int // the master's
	slave  *os.File
	before *term.State
	shown  testenv.Output
	read   chan error
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("TERM", "xterm")
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{master: os.NewFile(uintptr(fd), "/dev/ptmx"), fd: fd, read: make(chan error, 1)}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	if err != nil {
		t.Fatal(err)
	}
	if x.slave, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if x.before, err = term.GetState(int(x.slave.Fd())); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := io.Copy(&x.shown, x.master)
		x.read <- err
	}()
	t.Cleanup(func() {
		x.slave.Close()
		x.master.Close()
		<-x.read
	})
	return x
}

func (x *terminal) screen(t *testing.T) tcell.Screen {
	t.Helper()
	tty, err := tcell.NewDevTtyFromDev(x.slave.Name())
	if err != nil {
		t.Fatal(err)
	}
	s, err := tcell.NewTerminfoScreenFromTty(tty, tcell.OptNegotiation(false))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// waits waits until the terminal was sent a text behind a place, and returns the place behind it.
func (x *terminal) waits(t *testing.T, from int, text string) int {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if i := strings.Index(x.shown.String()[from:], text); i >= 0 {
			return from + i + len(text)
		}
		if time.Now().After(end) {
			t.Fatalf("%q is not shown: %q", text, x.shown.String()[from:])
		}
	}
}

// restored fails unless the terminal is as it was.
func (x *terminal) restored(t *testing.T) {
	t.Helper()
	after, err := term.GetState(int(x.slave.Fd()))
	if err != nil || *after != *x.before {
		t.Errorf("the terminal is %+v, was %+v (%v)", after, x.before, err)
	}
	x.waits(t, 0, "\x1b[?1049h")
	x.waits(t, 0, "\x1b[?1049l")
}

// TestRestores: however it ends, the terminal is as it was.
func TestRestores(t *testing.T) {
	seen := sight(&hosts.Mixed().Snapshot)
	for name, c := range map[string]struct {
		change func(*Options)
		keys   string
		want   string
	}{
		"q":                              {keys: "q"},
		"Ctrl-C":                         {keys: "\x03"},
		"Ctrl-C while a filter is typed": {keys: "/ab\x03"},
		"a signal": {change: func(o *Options) {
			stop := make(chan struct{})
			close(stop)
			o.Stop = stop
		}},
		"a panic of a look": {change: func(o *Options) {
			o.Look = func() (*Sight, error) { panic("ouch") }
		}, want: "this is a bug: ouch"},
		"a panic of an explanation": {keys: "2\r", change: func(o *Options) {
			o.Explain = func(*Sight, *scan.Process) (Page, error) { panic("ouch") }
		}, want: "this is a bug: ouch"},
		"a panic while it draws": {keys: "2\r", change: func(o *Options) {
			o.Explain = func(*Sight, *scan.Process) (Page, error) {
				return func(int) string { panic("ouch") }, nil
			}
		}, want: "ouch"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTerminal(t)
			o := Options{First: seen, Interval: time.Millisecond,
				Look: func() (*Sight, error) { return seen, nil }}
			if c.change != nil {
				c.change(&o)
			}
			done := make(chan error, 1)
			screen := x.screen(t)
			go func() {
				defer func() {
					if p := recover(); p != nil {
						done <- fmt.Errorf("%v", p)
					}
				}()
				done <- Run(screen, o)
			}()
			x.waits(t, 0, "\x1b[?1049h")
			if c.keys != "" {
				x.waits(t, 0, "services")
				if _, err := io.WriteString(x.master, c.keys); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-done; (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			x.restored(t)
		})
	}
}

// shows waits until an emulated terminal shows a text on one of its lines.
func shows(t *testing.T, mock vt.MockTerm, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var b strings.Builder
		size, err := mock.WindowSize()
		if err != nil {
			t.Fatal(err)
		}
		for y := range size.Height {
			for x := range size.Width {
				b.WriteString(cmp.Or(mock.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)}).C, " "))
			}
			b.WriteByte('\n')
		}
		if strings.Contains(b.String(), text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q is not shown:\n%s", text, &b)
		}
	}
}

// TestGoesOn: where nothing answers it says so, and goes on trying; paused it does not look.
func TestGoesOn(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("TERM", "xterm")
	mock := vt.NewMockTerm(vt.MockOptSize{X: 80, Y: 24})
	screen, err := tcell.NewTerminfoScreenFromTty(mock, tcell.OptNegotiation(false))
	if err != nil {
		t.Fatal(err)
	}
	seen := sight(&hosts.Mixed().Snapshot)
	looks, done := make(chan error), make(chan error, 1)
	go func() {
		done <- Run(screen, Options{First: seen, Interval: time.Millisecond, Look: func() (*Sight, error) {
			return seen, <-looks
		}})
	}()
	looks <- errors.New("no landlockd serves there\x1b[2J")
	shows(t, mock, `trying again: no landlockd serves there\x1b[2J`)
	looks <- nil
	shows(t, mock, "By the daemon")
	mock.SendRaw([]byte("p"))
	shows(t, mock, "PAUSED")
	for n := 0; n < 2; n++ { // one may be under way
		select {
		case looks <- errors.New("not shown"):
			if n == 1 {
				t.Error("it looks though it is paused")
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
	mock.SendRaw([]byte("p"))
	looks <- errors.New("in vain")
	shows(t, mock, "trying again: in vain")
	mock.SetSize(vt.Coord{X: 60, Y: 20})
	mock.SendRaw([]byte("2G"))
	shows(t, mock, "504")
	mock.SendRaw([]byte("q"))
	close(looks)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
