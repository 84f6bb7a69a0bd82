// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
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

// explainProcess explains one process.
type explainProcess struct {
	look
	ruleFile
	drawing
	socket  apiSocket
	pid     int64
	sockets bool
	noPaths bool
	format  string
}

func (x *explainProcess) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("explain", "Show everything known of one process: its sandbox, who made it, "+
		"and what it may still do. Exit code: 0 explained, 2 wrong usage or configuration, "+
		"3 there is no such process, or this host cannot be scanned.")
	c.Arg("pid", "The process, or a thread of it.").Required().Int64Var(&x.pid)
	c.Flag("sockets", "Find the listening Unix sockets outside of its domains that it could reach, "+
		"and who listens: as root, with the rights of this command.").BoolVar(&x.sockets)
	c.Flag("no-paths", "Do not search for the paths of files that rules are on.").BoolVar(&x.noPaths)
	x.look.flags(c, "Look at")
	c.Flag("output", "Form of the answer: text, json.").Short('o').Default(formatText).
		EnumVar(&x.format, formatText, formatJSON)
	x.ruleFile.flags(c)
	x.socket.flags(c, "Unix socket of the daemon, which is asked for the last denials; "+
		"empty to ask nobody.")
	x.drawing.flags(c, "Write")
	return c
}

func (x *explainProcess) validate() error {
	err := cmp.Or(x.look.validate(), x.socket.validate())
	switch {
	case err != nil:
		return err
	case !isPID(x.pid):
		return usagef("%d is no PID", x.pid)
	case x.sockets && x.recorded():
		return usagef("--sockets looks at this host: it is not for --snapshot")
	}
	return nil
}

// Bounds of searches: a program that serves files (FUSE) could block them for ever.
const (
	rootsTime   = 2 * time.Second
	pathsTime   = 5 * time.Second
	socketsTime = 30 * time.Second
)

func (x *explainProcess) run(out io.Writer) error {
	config, err := x.load()
	if err != nil {
		return err
	}
	snap, p, err := x.process(x.pid, withThread)
	if err != nil {
		return err
	}
	if n := int32(x.pid); n != p.PID {
		fmt.Fprintf(os.Stderr, "landlockd: %s, which is explained\n", threadOf(snap, p, n))
	}
	e := explain.Of(snap, p)
	if len(config.Rules) > 0 {
		e.Rules = x.evaluator(config).Explain(snap, p)
	}
	if err := x.lookAround(e); err != nil {
		return undecided(err)
	}
	x.addDenials(e)
	return buffered(out, func(w io.Writer) error {
		if x.format == formatJSON {
			return e.JSON(w)
		}
		return e.Text(w, x.ascii(), terminalWidth())
	})
}

// lookAround adds what this host shows of the process beside the scan.
func (x *explainProcess) lookAround(e *explain.Explanation) error {
	if x.recorded() {
		const recorded = "this is a recorded snapshot"
		e.NoPlaces = "not sought, as " + recorded
		e.Roots = &explain.Roots{NotKnown: recorded}
		return nil
	}
	t, err := target.Open(x.sources.ProcFS, e.Process)
	if err != nil {
		e.NoPlaces = "not sought: " + untrusted.OneLine(err.Error())
		e.Roots = &explain.Roots{NotKnown: untrusted.OneLine(err.Error())}
		if x.sockets {
			return fmt.Errorf("--sockets: %w", err)
		}
		return nil
	}
	// Not closed: a search that takes too long goes on until the command ends.
	addRoots(e, t)
	x.addPlaces(e, t)
	if !x.sockets {
		return nil
	}
	if len(e.Sandboxes) == 0 {
		e.Sockets = &explain.Sockets{} // everything is outside of no domain
		return nil
	}
	e.Sockets, err = within(socketsTime, func() (*explain.Sockets, error) {
		return sockets.Look(x.sources.ProcFS, t, e)
	})
	if err != nil {
		return fmt.Errorf("--sockets: %w", err)
	}
	return nil
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

func (x *explainProcess) addPlaces(e *explain.Explanation, t *target.Process) {
	if x.noPaths {
		e.NoPlaces = "not sought, as --no-paths says"
		return
	}
	files := e.Files()
	ctx, cancel := context.WithTimeout(context.Background(), pathsTime)
	defer cancel()
	found, err := within(pathsTime+time.Second, func() (map[explain.File]string, error) {
		return places.Find(ctx, t, files), nil
	})
	if e.Places = found; err != nil {
		e.NoPlaces = "the search was " + err.Error()
	}
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
