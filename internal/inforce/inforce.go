// SPDX-License-Identifier: Apache-2.0

// Package inforce holds the rules that are in force in a daemon, and changes them
// while it runs: all of them, or none.
package inforce

import (
	"errors"
	"log/slog"
	"sync"
	"time"
	"weak"

	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// ErrRestart is the error of rules that ask for what a confined daemon cannot
// begin to read.
var ErrRestart = errors.New("some rule is about command lines (cmdline), which this landlockd was not allowed to read when it started: restart it")

// Options are what a Set is made of.
type Options struct {
	// Load reads the configuration anew.
	Load func() (*policy.Config, error)
	// Cmdline reads command lines. Nil refuses rules that are about them.
	Cmdline *cmdline.Reader
	// Logger gets each attempt to load; nil discards that.
	Logger *slog.Logger
}

// State is what is known of the rules in force. Its fields are those of
// collector.Config.
type State struct {
	// Loaded is the number of rules, Applied of those that were about some
	// process since they were loaded.
	Loaded, Applied int
	// Hash is another one for each configuration.
	Hash uint64
	// Reloaded reports whether the last attempt to load one succeeded.
	Reloaded bool
	// Since is when the one in force was loaded.
	Since time.Time
}

// Set is the rules in force. It is safe for concurrent use.
type Set struct {
	o         Options
	reloading sync.Mutex // held by the one that loads

	mu        sync.Mutex
	config    *policy.Config
	evaluator *policy.Evaluator
	// ended judges what ended, with what it remembers for itself; nil until it is needed.
	ended   *policy.Evaluator
	changes changes
	state   State
	// of is the snapshot that result is of. It is not kept for that.
	of     weak.Pointer[scan.Snapshot]
	result *policy.Evaluation
}

// New returns a Set with the rules that Load returns now.
func New(o Options) (*Set, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Set{o: o, changes: newChanges(o.Logger)}
	c, err := s.load()
	if err != nil {
		return nil, err
	}
	s.use(c)
	s.warn(c)
	return s, nil
}

// Evaluate judges a snapshot by the rules in force. They look at each snapshot
// once, however often and by how many they are asked.
func (s *Set) Evaluate(snap *scan.Snapshot) *policy.Evaluation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.result == nil || s.of.Value() != snap {
		s.result, s.of = s.evaluator.Evaluate(snap), weak.Make(snap)
		s.state.Applied = s.result.Applied
		s.changes.note(snap, s.result)
	}
	return s.result
}

// Judge judges what somebody sees of a host by the rules in force, and remembers nothing of it.
func (s *Set) Judge(seen *scan.Snapshot, o policy.Options) *policy.Evaluation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Cmdline != nil {
		o.Cmdline = s.o.Cmdline.Of
	}
	return policy.New(s.config, o).Evaluate(seen)
}

// Ended calls f with what the rules in force find of what ended, as
// [policy.Evaluator.Ended] does. f must not use the Set.
func (s *Set) Ended(ended policy.Ended, f func(place int, v policy.Verdict)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = policy.New(s.config, policy.Options{})
	}
	s.ended.Ended(ended, f)
}

// LogBroken logs that processes which ended violated a rule; o is one of them.
func (s *Set) LogBroken(v policy.Verdict, o Offender, processes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes.broken(v, o, processes)
}

// Config returns the configuration in force.
func (s *Set) Config() *policy.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config
}

// State returns what is known of the rules in force.
func (s *Set) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Reload loads the configuration again. If that fails, the rules stay as they
// were. It logs what came of it. Attempts that come together are made one after
// the other, because each must see what was written before it.
func (s *Set) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	c, err := s.load()
	if err != nil {
		s.mu.Lock()
		s.state.Reloaded = false
		s.mu.Unlock()
		const message = "Configuration not loaded; the rules stay as they were"
		if load, ok := errors.AsType[*policy.LoadError](err); ok {
			logProblems(s.o.Logger.Error, message, "err", "more_problems", load.Problems)
		} else {
			s.o.Logger.Error(message, "err", err)
		}
		return err
	}
	s.use(c)
	s.o.Logger.Info("Configuration loaded", "rules", len(c.Rules), "files", len(c.Files))
	s.warn(c)
	return nil
}

func (s *Set) load() (*policy.Config, error) {
	c, err := s.o.Load()
	err = advise(err)
	if err == nil && c.UsesCmdline() && s.o.Cmdline == nil {
		err = ErrRestart
	}
	return c, err
}

// use puts a configuration in force.
func (s *Set) use(c *policy.Config) {
	o := policy.Options{}
	if s.o.Cmdline != nil {
		o.Cmdline = s.o.Cmdline.Of // called with mu held
	}
	e := policy.New(c, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.evaluator != nil {
		e.Follow(s.evaluator)
	}
	s.config, s.evaluator, s.ended, s.result = c, e, nil, nil
	s.changes.keep(c)
	s.state = State{Loaded: len(c.Rules), Hash: c.Hash, Reloaded: true, Since: time.Now()}
}

// maxLogged is how many problems of a configuration are logged.
const maxLogged = 20

func (s *Set) warn(c *policy.Config) {
	logProblems(s.o.Logger.Warn, "Configuration", "warning", "more_warnings", c.Warnings)
}

// logProblems logs the first of many problems under one key, and under another how many
// more there are.
func logProblems(
	log func(string, ...any), message, key, moreKey string, problems []policy.Problem,
) {
	for i, p := range problems {
		if i == maxLogged {
			log(message, moreKey, len(problems)-maxLogged)
			break
		}
		log(message, key, p.String())
	}
}
