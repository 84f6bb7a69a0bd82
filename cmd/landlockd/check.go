// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/check"
	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/record"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// runCheck judges once. As a plugin of Nagios it reports every failure in the way
// of plugins.
func (s *settings) runCheck(w io.Writer) error {
	var err error
	switch {
	case s.check.pidGiven:
		err = s.checkOne(w)
	case s.check.explainGiven:
		err = s.explain(w)
	default:
		err = s.checkRules(w)
	}
	var told quietError
	if s.check.format != formatNagios || err == nil || errors.As(err, &told) {
		return err
	}
	if werr := check.NagiosLine(w, check.Unknown, untrusted.OneLine(err.Error())); werr != nil {
		return werr
	}
	return codeError{int(check.Unknown), quietError{err}}
}

func (s *settings) checkRules(w io.Writer) error {
	config, err := s.rulesToCheck()
	if err != nil {
		return err
	}
	var result *policy.Evaluation
	snap, err := s.judged(func(snap *scan.Snapshot) (bool, []int32) {
		result = s.evaluator(config, snap).Evaluate(snap)
		return check.Of(result, s.check.requireMatches) != check.Undecided, result.About
	})
	if err != nil {
		return undecided(err)
	}
	if s.check.format == formatNagios {
		status, err := check.Nagios(w, result, s.check.requireMatches)
		if err != nil || status == check.OK {
			return err
		}
		return codeError{int(status), quietError{errors.New("told")}}
	}
	err = buffered(w, func(w io.Writer) error {
		if s.check.format == formatJSON {
			return check.JSON(w, snap, result, s.check.requireMatches)
		}
		return check.Text(w, snap, result, s.ascii || !utf8Locale())
	})
	return answered(check.Of(result, s.check.requireMatches), err)
}

// rulesToCheck loads the rules. A check without rules would always be passed.
func (s *settings) rulesToCheck() (*policy.Config, error) {
	config, err := s.loadConfig()
	if err != nil {
		return nil, configError(err)
	}
	if len(config.Rules) == 0 {
		return nil, usageError{errors.New("there are no rules to check by: write some (\"landlockd rules suggest\" begins them), or give --config.file")}
	}
	return config, nil
}

// evaluator returns one for a single snapshot. A recorded one has no command lines.
func (s *settings) evaluator(config *policy.Config, snap *scan.Snapshot) *policy.Evaluator {
	o := policy.Options{Unmatched: true}
	if s.check.snapshot == "" {
		lines := cmdline.New(s.procfs)
		o.Cmdline = func(pid int32, start uint64) (string, bool) {
			p := snap.Find(pid)
			if p == nil || p.Start != start {
				return "", false
			}
			return lines.Line(cmdline.Process{PID: pid, Start: start, Exec: p.Exec})
		}
	}
	return policy.New(config, o)
}

// maxLooks is how often a host is looked at again because of what is not known:
// mostly processes that are just being made, or are about to end.
const maxLooks = 4

// judgment reports whether enough is known of a snapshot, and which processes it
// is about.
type judgment func(*scan.Snapshot) (known bool, about []int32)

// judged returns the snapshot to look at: of this host, or a recorded one. A host
// is looked at again, a few times, until enough is known.
func (s *settings) judged(enough judgment) (*scan.Snapshot, error) {
	if s.check.snapshot == "" {
		src, f, err := s.openSource()
		if err != nil {
			return nil, err
		}
		defer func() { _ = src.Close() }()
		return lookUntil(src, f.favour, enough)
	}
	f, err := os.Open(s.check.snapshot)
	if err != nil {
		return nil, usageError{fmt.Errorf("--snapshot: %w", err)}
	}
	defer f.Close()
	snap, err := record.Load(f)
	if err != nil {
		return nil, usageError{fmt.Errorf("--snapshot %s: %w", s.check.snapshot, err)}
	}
	enough(snap)
	return snap, nil
}

func lookUntil(src scan.Source, favour func(pids []int32), enough judgment) (*scan.Snapshot, error) {
	for look, pause := 1, 20*time.Millisecond; ; look, pause = look+1, 4*pause {
		snap, err := src.Scan(context.Background())
		if err != nil {
			return nil, err
		}
		known, about := enough(snap)
		if known || look == maxLooks {
			return snap, nil
		}
		favour(about)
		time.Sleep(pause)
	}
}

// undecided is the failure to look, which is no answer.
func undecided(err error) error {
	var usage usageError
	if errors.As(err, &usage) {
		return err
	}
	return codeError{exitUndecided, err}
}

// finder finds a process of a snapshot by a number, or returns nil.
type finder func(s *scan.Snapshot, number int32) *scan.Process

// process returns the snapshot to look at and one process of it.
func (s *settings) process(pid int64, find finder) (*scan.Snapshot, *scan.Process, error) {
	snap, err := s.judged(func(snap *scan.Snapshot) (bool, []int32) {
		p := find(snap, int32(pid))
		if p == nil {
			return false, []int32{int32(pid)}
		}
		return settled(snap, p), []int32{p.PID}
	})
	if err != nil {
		return nil, nil, undecided(err)
	}
	p := find(snap, int32(pid))
	if p == nil {
		return nil, nil, codeError{exitUndecided, noProcess(snap, int32(pid))}
	}
	return snap, p, nil
}

// withThread is the finder of the process that has a thread, by the thread's number:
// of the first thread that is the PID.
func withThread(s *scan.Snapshot, tid int32) *scan.Process {
	if p := s.Find(tid); p != nil {
		return p
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		if slices.ContainsFunc(s.TasksOf(p), func(t scan.Task) bool { return t.TID == tid }) || isWorker(s, p, tid) {
			return p
		}
	}
	return nil
}

func isWorker(s *scan.Snapshot, p *scan.Process, tid int32) bool {
	return slices.ContainsFunc(s.WorkersOf(p), func(w scan.Worker) bool { return w.TID == tid })
}

// threadOf returns in words that a number is of a thread of a process, not its PID.
func threadOf(s *scan.Snapshot, p *scan.Process, tid int32) string {
	if isWorker(s, p, tid) {
		return fmt.Sprintf("%d is a thread that the kernel made for process %d", tid, p.PID)
	}
	return fmt.Sprintf("%d is a thread of process %d", tid, p.PID)
}

// noProcess returns why there is no process with a PID.
func noProcess(s *scan.Snapshot, pid int32) error {
	if p := withThread(s, pid); p != nil {
		return fmt.Errorf("%s: give that PID", threadOf(s, p, pid))
	}
	if slices.ContainsFunc(s.Tasks, func(t scan.Task) bool { return t.TID == 0 }) {
		return fmt.Errorf("there is no process %d in this snapshot; it may be one of the threads that a snapshot "+
			"leaves out where those of a process are alike", pid)
	}
	return fmt.Errorf("there is no process %d: it has ended, is a kernel thread, or cannot be seen from here", pid)
}

// settled reports whether another look could find nothing more about a process. It could
// if the process is just being made, or about to end, or if a budget left out its domain
// or its rules, which the next scan reads.
func settled(s *scan.Snapshot, p *scan.Process) bool {
	var leftOut domainid.Doubt = domainid.RulesUnread
	if s.DomainsUnread > 0 {
		leftOut |= domainid.LayersUnknown
	}
	sandbox, _ := s.SandboxOf(p)
	return p.State != scan.Unknown && (p.Exe != "" || p.ExeCut) && sandbox.Doubt&leftOut == 0
}

// checkOne judges one process by --expect, however young it is.
func (s *settings) checkOne(w io.Writer) error {
	expect, err := policy.ParseExpect(s.check.expect)
	if err != nil {
		return usageError{fmt.Errorf("--expect: %w", err)}
	}
	snap, p, err := s.process(s.check.pid, (*scan.Snapshot).Find)
	if err != nil {
		return err
	}
	one := check.One{Snapshot: snap, Process: p}
	one.Result, one.Reason, one.Why = expect.Judge(snap, p)
	switch s.check.format {
	case formatJSON:
		err = one.JSON(w)
	case formatNagios:
		status := [...]check.Status{check.Compliant: check.OK, check.Violated: check.Critical, check.Undecided: check.Unknown}[one.Answer()]
		if err = check.NagiosLine(w, status, one.Text(true)); err == nil && status != check.OK {
			err = codeError{int(status), quietError{errors.New("told")}}
		}
		return err
	default:
		_, err = fmt.Fprintln(w, one.Text(!utf8Locale()))
	}
	return answered(one.Answer(), err)
}

// explain prints what every rule has to do with one process.
func (s *settings) explain(w io.Writer) error {
	config, err := s.rulesToCheck()
	if err != nil {
		return err
	}
	snap, p, err := s.process(s.check.explain, (*scan.Snapshot).Find)
	if err != nil {
		return err
	}
	e := check.Explained{Snapshot: snap, Process: p, Rules: s.evaluator(config, snap).Explain(snap, p)}
	if s.check.format == formatJSON {
		err = e.JSON(w)
	} else {
		err = e.Text(w, !utf8Locale())
	}
	return answered(e.Answer(), err)
}

// answered turns an answer that was written into an exit code.
func answered(a check.Answer, err error) error {
	if err != nil {
		return codeError{exitUndecided, fmt.Errorf("write the answer: %w", err)}
	}
	switch a {
	case check.Violated:
		return codeError{exitFailure, quietError{errors.New("violated")}}
	case check.Undecided:
		return codeError{exitUndecided, quietError{errors.New("not told")}}
	default:
		return nil
	}
}
