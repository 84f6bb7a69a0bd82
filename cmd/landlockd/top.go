// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/gdamore/tcell/v3"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/top"
	"github.com/landlockd/landlockd/scan"
)

// liveView shows this host live.
type liveView struct {
	asking
	ruleFile
	listing
	interval time.Duration

	config    *policy.Config
	evaluates *policy.Evaluator
	// source is nil if the daemon is asked. Otherwise itself is why not.
	source scan.Source
	itself origin
}

func (v *liveView) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("top", "Show this host live on the terminal: coverage over time, services, "+
		"processes, domains and the last denials; ? shows the keys.")
	c.Flag("interval", "How long to wait at least between two looks.").Default("2s").
		DurationVar(&v.interval)
	v.colorFlag(c)
	v.drawing.flags(c, "Draw with")
	v.ruleFile.flags(c)
	v.globals.flags(c)
	v.rootfs(c)
	v.lookLimit.flags(c)
	v.socket.flags(c, askingHelp)
	return c
}

// shortest keeps a slip of the finger from taking a CPU.
const shortest = 100 * time.Millisecond

func (v *liveView) validate() error {
	if v.interval < shortest {
		return usagef("--interval is %s, but must be at least %s", v.interval, shortest)
	}
	return v.asking.validate()
}

func (v *liveView) run(io.Writer) error {
	for _, f := range []*os.File{os.Stdin, os.Stdout} {
		if !term.IsTerminal(int(f.Fd())) {
			return usagef("top needs a terminal as standard input and output: " +
				"landlockd services lists the same once")
		}
	}
	var err error
	if v.config, err = v.load(); err != nil {
		return err
	}
	v.evaluates = v.evaluator(v.config, policy.Options{ByWorkload: true})
	v.sources.Logger = slog.New(slog.DiscardHandler) // its lines would stand on the screen
	first, err := v.first()
	if err != nil {
		return err
	}
	screen, err := v.screen()
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	v.headers = true // there is no flag for it
	host, _ := os.Hostname()
	return top.Run(screen, top.Options{
		First: first, Look: v.look, Explain: v.explain, Host: cmp.Or(host, "?"),
		Interval: v.interval, Style: v.style(), Stop: stopped(),
	})
}

// stopped returns what the first signal that ends programs closes: the terminal is to be as it
// was. A second one ends this process at once, as where the terminal takes nothing any more.
func stopped() <-chan struct{} {
	signals, stop := make(chan os.Signal, 1), make(chan struct{})
	ending := []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT}
	signal.Notify(signals, ending...)
	go func() {
		<-signals
		signal.Reset(ending...)
		close(stop)
	}()
	return stop
}

// screen opens the terminal. It is asked nothing: answers that come late would be typed into
// the shell.
func (v *liveView) screen() (tcell.Screen, error) {
	tcell.SetEncodingFallback(tcell.EncodingFallbackASCII)
	tty, err := tcell.NewStdIoTty()
	if err != nil {
		return nil, err
	}
	o := []tcell.TerminfoScreenOption{tcell.OptNegotiation(false), tcell.OptSanitizeContent(true)}
	if !v.colors() {
		o = append(o, tcell.OptColors(0))
	}
	return tcell.NewTerminfoScreenFromTty(tty, o...)
}

// first looks for the first time, which decides who looks: the daemon, or this command.
func (v *liveView) first() (*top.Sight, error) {
	s, refused := v.look()
	if refused == nil {
		return s, nil
	}
	d, cancel := v.begin()
	defer cancel()
	var err error
	v.itself = ownScan(refused)
	if v.source, _, err = v.open(d, v.config.Assets); err == nil {
		s, err = v.look()
	}
	return s, withRefusal(err, refused)
}

// look looks once.
func (v *liveView) look() (*top.Sight, error) {
	look := v.lookByDaemon
	if v.source != nil {
		look = v.lookByItself
	}
	s, err := look()
	if err != nil {
		return nil, err
	}
	s.Rules = v.evaluates.Evaluate(s.Snapshot).ByWorkload
	return s, nil
}

func (v *liveView) lookByItself() (*top.Sight, error) {
	d, cancel := v.begin()
	defer cancel()
	snap, err := inTime(d, "scanning", func() (*scan.Snapshot, error) {
		return top.Guarded(func() (*scan.Snapshot, error) { return v.source.Scan(d) })
	})
	none := &explain.Denials{NotKnown: "a daemon reads them, and none is asked"}
	return &top.Sight{Snapshot: snap, Denials: none, From: v.itself.text}, err
}

// lookByDaemon asks for the snapshot and for denials at once, so that the daemon scans once.
func (v *liveView) lookByDaemon() (*top.Sight, error) {
	answer := make(chan *explain.Denials, 1)
	go func() {
		d, err := top.Guarded(func() (*explain.Denials, error) {
			ctx, cancel := context.WithTimeout(context.Background(), min(askTime, v.timeout))
			defer cancel()
			return askDenials(ctx, v.socket.path, 0), nil
		})
		if err != nil {
			d = &explain.Denials{NotKnown: err.Error()}
		}
		answer <- d
	}()
	snap, from, err := v.ask()
	return &top.Sight{Snapshot: snap, Denials: <-answer, From: from.text}, err
}

// explain explains a process as the command does.
func (v *liveView) explain(s *top.Sight, p *scan.Process) (top.Page, error) {
	x := &explainProcess{asking: v.asking}
	e, _ := x.explain(v.config, s.Snapshot, p, origin{text: s.From}, time.Now().Add(v.timeout))
	return func(width int) string {
		var b strings.Builder
		if err := e.Text(&b, v.ascii(), width); err != nil {
			return err.Error()
		}
		return b.String()
	}, nil
}
