// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/apart"
	"github.com/landlockd/landlockd/internal/explain/sockets"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// explainProcess explains one process.
type explainProcess struct {
	asking
	ruleFile
	drawing
	argument string
	subject  subject
	sockets  bool
	noPaths  bool
	format   string
}

func (x *explainProcess) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("explain", "Show everything known of one process: its sandbox, who made it, "+
		"what it may still do, and which rules are about it and why. Exit code: 0 explained, 2 wrong usage or configuration, "+
		"3 there is no such process, and the daemon remembers none; this host cannot be scanned; "+
		"or something that was looked at does not answer.")
	c.Arg("process", "The process: its PID, or that of a thread of it; the name of its program or "+
		"workload, if no other has it; or self, this command, which is sandboxed as what starts it.").
		Required().HintAction(func() []string { return processHints(cmp.Or(x.sources.ProcFS, "/proc")) }).StringVar(&x.argument)
	c.Flag("sockets", "Find the Unix sockets outside of its domains that it could connect or send "+
		"to, and who reads them: as root, with the rights of this command.").BoolVar(&x.sockets)
	c.Flag("no-paths", "Do not search for the paths of files that rules are on.").BoolVar(&x.noPaths)
	x.rootfs(c)
	c.Flag("output", "Form of the answer: text, json.").Short('o').Default(formatText).
		EnumVar(&x.format, formatText, formatJSON)
	x.ruleFile.flags(c)
	x.asking.flags(c)
	x.drawing.flags(c, "Write")
	return c
}

func (x *explainProcess) validate() error {
	if err := x.asking.validate(); err != nil {
		return err
	}
	if x.sockets && x.recorded() {
		return usagef("--sockets looks at this host: it is not for --snapshot")
	}
	if x.argument == "self" {
		if x.recorded() {
			return usagef("self is this command: it is not in a recorded snapshot")
		}
		x.subject = subject{pid: int32(os.Getpid())}
		return nil
	}
	n, err := strconv.ParseInt(x.argument, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		x.subject = subject{name: x.argument}
		if !x.recorded() {
			x.subject.asker = int32(os.Getpid())
		}
	case !isPID(n):
		return usagef("%s is no PID", x.argument)
	default:
		x.subject = subject{pid: int32(n), threads: true}
	}
	return nil
}

// How long each look is waited for, of the time that is left of --timeout: longer than it
// takes, as a busy host is no reason to know nothing. Sockets are the last.
const (
	rootsTime = 5 * time.Second
	pathsTime = 10 * time.Second
)

func (x *explainProcess) run(out io.Writer) error {
	config, err := x.load()
	if err != nil {
		return err
	}
	x.assets = config.Assets
	end := time.Now().Add(x.timeout)
	snap, p, from, err := x.process(x.subject)
	switch {
	case err != nil && snap != nil:
		return x.explainEnded(out, err)
	case err != nil:
		return err
	}
	if n := x.subject.pid; n != 0 && n != p.PID {
		fmt.Fprintf(os.Stderr, "landlockd: %s, which is explained\n", threadOf(snap, p, n))
	}
	e, missing := x.explain(config, snap, p, from, end)
	err = buffered(out, func(w io.Writer) error {
		if x.format == formatJSON {
			return e.JSON(w)
		}
		return e.Text(w, x.ascii(), terminalWidth())
	})
	if err == nil && missing != nil {
		err = undecided(fmt.Errorf("not all is known: %w", missing))
	}
	return err
}

// explain explains a process of a snapshot. The error is what was to be known and is not.
func (x *explainProcess) explain(
	config *policy.Config, snap *scan.Snapshot, p *scan.Process, from origin, end time.Time,
) (*explain.Explanation, error) {
	e := explain.Of(snap, p)
	e.Origin, e.By = from.word, from.text
	if len(config.Rules) > 0 {
		e.Rules = x.evaluator(config, policy.Options{Unmatched: true}).Explain(snap, p)
	}
	denials := x.denialsOf(e)
	missing := x.lookAround(e, end)
	e.Denials = denials()
	return e, missing
}

// lookAround adds what this host shows of the process beside the scan. It returns what was to
// be known and is not.
func (x *explainProcess) lookAround(e *explain.Explanation, end time.Time) error {
	if x.recorded() {
		const recorded = "this is a recorded snapshot"
		e.NoPlaces = "not sought, as " + recorded
		e.Roots = &explain.Roots{NotKnown: recorded}
		return nil
	}
	missing := []error{
		x.addRoots(e, min(rootsTime, time.Until(end))), x.addPlaces(e, min(pathsTime, time.Until(end))),
	}
	if x.sockets {
		missing = append(missing, x.addSockets(e, time.Until(end)))
	}
	return errors.Join(missing...)
}

// about returns a question about the process that is explained.
func (x *explainProcess) about(e *explain.Explanation) apart.Question {
	p := sockets.Process{PID: e.Process.PID, Start: e.Process.Start}
	return apart.Question{ProcFS: x.sources.ProcFS, Process: p}
}

func (x *explainProcess) addRoots(e *explain.Explanation, limit time.Duration) error {
	q := x.about(e)
	tasks := e.Snapshot.TasksOf(e.Process)
	for _, t := range tasks {
		if t.TID == 0 && len(tasks) > 1 {
			e.Roots = &explain.Roots{NotKnown: "the daemon does not name threads that are alike"}
			return nil
		}
		q.Threads = append(q.Threads, cmp.Or(t.TID, e.Process.PID))
	}
	e.Roots = &explain.Roots{}
	_, err := q.Ask(limit, func(a *apart.Answer) { e.Roots.All = append(e.Roots.All, *a.Root) })
	if err != nil {
		e.Roots = &explain.Roots{NotKnown: untrusted.OneLine(err.Error())}
	}
	return late("root directories", err)
}

func (x *explainProcess) addPlaces(e *explain.Explanation, limit time.Duration) error {
	if x.noPaths {
		e.NoPlaces = "not sought, as --no-paths says"
		return nil
	}
	q := x.about(e)
	if q.Files = e.Files(); len(q.Files) == 0 {
		return nil
	}
	e.Places, e.Gone = map[explain.File]string{}, map[explain.File]bool{}
	_, err := q.Ask(limit, func(a *apart.Answer) {
		if a.Place.Path == "" {
			e.Gone[a.Place.File] = true
		} else {
			e.Places[a.Place.File] = string(a.Place.Path)
		}
	})
	if err != nil {
		e.NoPlaces = "not all were sought: " + untrusted.OneLine(err.Error())
	}
	return late("paths", err)
}

func (x *explainProcess) addSockets(e *explain.Explanation, limit time.Duration) error {
	if len(e.Sandboxes) == 0 {
		e.Sockets = &explain.Sockets{} // everything is outside of no domain
		return nil
	}
	q := x.about(e)
	for _, p := range e.Snapshot.Processes {
		q.Holders = append(q.Holders, sockets.Process{PID: p.PID, Start: p.Start})
	}
	judge := sockets.NewJudge(e)
	gaps, err := q.Ask(limit, func(a *apart.Answer) { judge.Add(a.Socket) })
	if errors.Is(err, apart.ErrLate) {
		gaps = append(gaps, "other sockets: "+untrusted.OneLine(err.Error()))
	}
	if err == nil || errors.Is(err, apart.ErrLate) {
		e.Sockets = judge.Result(gaps)
	}
	if err != nil {
		err = fmt.Errorf("--sockets: %w", err)
	}
	return err
}

// late returns an error if what was looked at did not answer. Any other reason is in the
// answer alone.
func late(what string, err error) error {
	if !errors.Is(err, apart.ErrLate) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
