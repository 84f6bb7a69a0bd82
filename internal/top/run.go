// SPDX-License-Identifier: Apache-2.0

package top

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gdamore/tcell/v3"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
)

// Sight is what was seen of a host at one time.
type Sight struct {
	Snapshot *scan.Snapshot
	// Rules are the results of rules by workload.
	Rules map[string][]policy.RuleResult
	// Denials are the last ones of all processes.
	Denials *explain.Denials
	// From is in words who looked.
	From string
}

// Page is text of a width, 0 for lines of any length.
type Page func(width int) string

// Options are what is shown, and how. Look and Explain are called on goroutines of their own,
// Look never twice at a time.
type Options struct {
	// First is what was seen first, and Look looks again.
	First *Sight
	Look  func() (*Sight, error)
	// Explain explains a process.
	Explain func(*Sight, *scan.Process) (Page, error)
	// Host is the host's name.
	Host string
	// Interval is how long it waits at least from one look to the next one.
	Interval time.Duration
	// Style has neither a width nor Bare.
	Style table.Style
	// Stop ends it.
	Stop <-chan struct{}
}

// share is the part of a CPU that looking may take: where there is much to be seen, looks are
// rarer than the interval.
const share = 20

// bug is a panic as an error: it must not end the program before the terminal is as it was.
type bug struct{ text string }

func (b *bug) Error() string { return b.text }

// Guarded returns what f returns; if f panics, an error that ends [Run]. Whatever runs on a
// goroutine of its own beside [Run] is called by it.
func Guarded[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &bug{fmt.Sprintf("this is a bug: %v, at %s", p, debug.Stack())}
		}
	}()
	return f()
}

// outcome is what a call on another goroutine came to.
type outcome[T any] struct {
	value T
	err   error
	cpu   time.Duration
}

func call[T any](f func() (T, error)) (o outcome[T]) {
	before := cpuTime()
	o.value, o.err = Guarded(f)
	o.cpu = cpuTime() - before
	return o
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Run shows a host until somebody quits, Stop is closed or the terminal is gone. However it
// ends, the screen is as it was before.
func Run(screen tcell.Screen, o Options) error {
	if err := screen.Init(); err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	defer screen.Fini()
	m := newModel(o)
	looks, pages := make(chan outcome[*Sight], 1), make(chan answer, 1)
	timer, looking := time.NewTimer(o.Interval), false
	defer timer.Stop()
	for !m.quit {
		m.paint(screen)
		select {
		case <-o.Stop:
			return nil
		case e := <-screen.EventQ():
			switch e := e.(type) {
			case *tcell.EventKey:
				m.key(e)
			case *tcell.EventError:
				return fmt.Errorf("the terminal: %w", e)
			}
		case <-timer.C:
			if !m.paused {
				looking = true
				go func() { looks <- call(o.Look) }()
			}
		case seen := <-looks:
			if b := new(bug); errors.As(seen.err, &b) {
				return b
			}
			if !m.paused {
				m.take(seen.value, seen.err)
			}
			looking = false
			timer.Reset(max(o.Interval, share*seen.cpu))
		case a := <-pages:
			if b := new(bug); errors.As(a.err, &b) {
				return b
			}
			m.explained(a)
		}
		if w := m.wanted; w != nil {
			m.wanted = nil
			go func() {
				a := answer{w.number, call(func() (Page, error) { return o.Explain(w.sight, w.process) })}
				select {
				case pages <- a:
				case <-o.Stop:
				}
			}()
		}
		if m.hurry && !looking {
			m.hurry = false
			timer.Reset(0)
		}
	}
	return nil
}
