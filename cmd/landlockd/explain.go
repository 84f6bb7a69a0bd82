// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/places"
	"github.com/landlockd/landlockd/internal/explain/roots"
	"github.com/landlockd/landlockd/internal/explain/sockets"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// explainSettings are the flags of explain.
type explainSettings struct {
	pid     int64
	sockets bool
	noPaths bool
}

func (s *settings) explainCommand(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command(cmdExplain, "Tell everything known of one process: its sandbox, who made it, and what it may still do. "+
		"Exit code: 0 told, 2 wrong usage or configuration, 3 there is no such process, or this host cannot be scanned.")
	c.Arg("pid", "The process, or a thread of it.").Required().Int64Var(&s.explaining.pid)
	c.Flag("sockets", "Find the listening Unix sockets outside of its domains that it could reach, and who listens: as root, with the rights of this command.").BoolVar(&s.explaining.sockets)
	c.Flag("no-paths", "Do not search for the paths of files that rules are on.").BoolVar(&s.explaining.noPaths)
	c.Flag("snapshot", "Look at this file, which \"landlockd once --format=json\" wrote, instead of the host.").PlaceHolder("FILE").StringVar(&s.check.snapshot)
	c.Flag("output", "Form of the answer: text, json.").Short('o').Default(formatText).EnumVar(&s.check.format, formatText, formatJSON)
	c.Flag("config.file", "File with the rules; "+defaultConfig+" if there is one, else the rule files that packages and the host have in rules.d.").
		PlaceHolder("FILE").StringVar(&s.configFile)
	c.Flag("ascii", "Write ASCII only; the default unless the locale is UTF-8.").BoolVar(&s.ascii)
	return c
}

func (e *explainSettings) validate(snapshot string) error {
	switch {
	case !isPID(e.pid):
		return usageError{fmt.Errorf("%d is no PID", e.pid)}
	case e.sockets && snapshot != "":
		return usageError{errors.New("--sockets looks at this host: it is not for --snapshot")}
	}
	return nil
}

// Bounds of searches: a program that serves files (FUSE) could block them for ever.
const (
	rootsTime   = 2 * time.Second
	pathsTime   = 5 * time.Second
	socketsTime = 30 * time.Second
)

// runExplain explains one process.
func (s *settings) runExplain(w io.Writer) error {
	config, err := s.loadConfig()
	if err != nil {
		return configError(err)
	}
	snap, p, err := s.process(s.explaining.pid, withThread)
	if err != nil {
		return err
	}
	if n := int32(s.explaining.pid); n != p.PID {
		fmt.Fprintf(os.Stderr, "landlockd: %s, which is explained\n", threadOf(snap, p, n))
	}
	e := explain.Of(snap, p)
	if len(config.Rules) > 0 {
		e.Rules = s.evaluator(config, snap).Explain(snap, p)
	}
	if err := s.lookAround(e); err != nil {
		return undecided(err)
	}
	s.addDenials(e)
	return buffered(w, func(w io.Writer) error {
		if s.check.format == formatJSON {
			return e.JSON(w)
		}
		return e.Text(w, s.ascii || !utf8Locale(), terminalWidth())
	})
}

// lookAround adds what this host shows of the process beside the scan.
func (s *settings) lookAround(e *explain.Explanation) error {
	if s.check.snapshot != "" {
		const recorded = "this is a recorded snapshot"
		e.NoPlaces = "not sought, as " + recorded
		e.Roots = &explain.Roots{NotKnown: recorded}
		return nil
	}
	t, err := target.Open(s.procfs, e.Process)
	if err != nil {
		e.NoPlaces = "not sought: " + untrusted.OneLine(err.Error())
		e.Roots = &explain.Roots{NotKnown: untrusted.OneLine(err.Error())}
		if s.explaining.sockets {
			return fmt.Errorf("--sockets: %w", err)
		}
		return nil
	}
	// Not closed: a search that takes too long goes on until the command ends.
	addRoots(e, t)
	s.addPlaces(e, t)
	if !s.explaining.sockets {
		return nil
	}
	if len(e.Sandboxes) == 0 {
		e.Sockets = &explain.Sockets{} // everything is outside of no domain
		return nil
	}
	return s.addSockets(e, t)
}

func addRoots(e *explain.Explanation, t *target.Process) {
	tasks := e.Snapshot.TasksOf(e.Process)
	tids := make([]int32, len(tasks))
	for i := range tasks {
		tids[i] = tasks[i].TID
	}
	found, err := within(rootsTime, func() (*explain.Roots, error) { return roots.Look(t, tids) })
	if e.Roots = found; err != nil {
		e.Roots = &explain.Roots{NotKnown: untrusted.OneLine(err.Error())}
	}
}

func (s *settings) addPlaces(e *explain.Explanation, t *target.Process) {
	files := e.Files()
	if s.explaining.noPaths {
		e.NoPlaces = "not sought, as --no-paths says"
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), pathsTime)
	defer cancel()
	found, err := within(pathsTime+time.Second, func() (map[explain.File]string, error) {
		return places.Find(ctx, t, files), nil
	})
	if e.Places = found; err != nil {
		e.NoPlaces = "the search was " + err.Error()
	}
}

func (s *settings) addSockets(e *explain.Explanation, t *target.Process) error {
	found, err := within(socketsTime, func() (*explain.Sockets, error) {
		return sockets.Look(s.procfs, t, e)
	})
	if e.Sockets = found; err != nil {
		return fmt.Errorf("--sockets: %w", err)
	}
	return nil
}

// within returns what a search finds. One that takes longer is left to itself, and
// gives an error.
func within[T any](limit time.Duration, search func() (T, error)) (found T, err error) {
	type result struct {
		found T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		found, err := search()
		ended <- result{found, err}
	}()
	select {
	case r := <-ended:
		return r.found, r.err
	case <-time.After(limit):
		return found, fmt.Errorf("given up after %s: some filesystem does not answer", limit)
	}
}
