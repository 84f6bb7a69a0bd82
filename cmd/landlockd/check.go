// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/check"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const (
	formatText   = "text"
	formatNagios = "nagios"
)

// checkRules judges processes by the rules.
type checkRules struct {
	asking
	ruleFile
	pid            int64
	pidGiven       bool
	expect         string
	requireMatches bool
	format         string
}

func (c *checkRules) declare(app *kingpin.Application) *kingpin.CmdClause {
	cmd := app.Command("check", "Judge the processes of this host, or of a recorded snapshot, by "+
		"the rules. Exit code: 0 compliant (a process younger than a rule's grace is shown and "+
		"counts as compliant), 1 violated (with --require-matches also: a rule is about no "+
		"process), 2 wrong usage or configuration, 3 it is not known. With -o nagios: 0 ok, "+
		"1 warning, 2 critical, 3 unknown.")
	c.ruleFile.flags(cmd)
	c.asking.flags(cmd)
	c.rootfs(cmd)
	cmd.Flag("pid", "Judge one process by --expect, without rules.").PlaceHolder("PID").
		IsSetByUser(&c.pidGiven).Int64Var(&c.pid)
	cmd.Flag("expect", "What --pid must be, such as state=sandboxed,min_depth=1,"+
		"restricts=fs.write_file,net.*; keys: state, effective (true unless given), "+
		"min_depth, max_depth, restricts, out_of_reach (assets of the configuration), and beside "+
		"those on_old_kernel, outside_workers; or state=unsandboxed alone.").
		PlaceHolder("EXPECT").StringVar(&c.expect)
	cmd.Flag("require-matches", "A rule that is about no process is violated, too: "+
		"its match may be misspelled. If it is not known whether it is about one, "+
		"the answer is not known.").BoolVar(&c.requireMatches)
	cmd.Flag("output", "Form of the answer: text, json, nagios.").Short('o').Default(formatText).
		EnumVar(&c.format, formatText, formatJSON, formatNagios)
	return cmd
}

// validate refuses flags that do not belong together.
func (c *checkRules) validate() error {
	if err := c.asking.validate(); err != nil {
		return err
	}
	switch {
	// 0 is what service managers call the PID of what does not run.
	case c.pidGiven && !isPID(c.pid):
		return usagef("--pid: %d is no PID", c.pid)
	case c.pidGiven != (c.expect != ""):
		return usagef("--pid and --expect are for each other; " +
			"landlockd explain PID shows what rules say of one process")
	case c.requireMatches && c.pidGiven:
		return usagef("--require-matches is about all processes, --pid about one")
	}
	return nil
}

// run judges once. As a plugin of Nagios it reports every failure in the way
// of plugins.
func (c *checkRules) run(w io.Writer) error {
	var err error
	switch {
	case c.pidGiven:
		err = c.one(w)
	default:
		err = c.all(w)
	}
	var answered quietError
	if c.format != formatNagios || err == nil || errors.As(err, &answered) {
		return err
	}
	if werr := check.NagiosLine(w, check.Unknown, untrusted.OneLine(err.Error())); werr != nil {
		return werr
	}
	return codeError{int(check.Unknown), quietError{err}}
}

func (c *checkRules) all(w io.Writer) error {
	config, err := c.rules()
	if err != nil {
		return err
	}
	var result *policy.Evaluation
	snap, from, err := c.judged(func(snap *scan.Snapshot) (bool, []int32) {
		result = c.evaluator(config, policy.Options{Unmatched: true}).Evaluate(snap)
		return check.Of(result, c.requireMatches) != check.Undecided, result.About
	})
	if err != nil {
		return undecided(err)
	}
	if c.format == formatNagios {
		status, err := check.Nagios(w, result, c.requireMatches)
		return cmp.Or(err, reported(int(status)))
	}
	err = buffered(w, func(w io.Writer) error {
		if c.format == formatJSON {
			return check.JSON(w, snap, result, c.requireMatches, from.word)
		}
		if err := check.Text(w, snap, result, !utf8Locale()); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, strings.Join(from.lines(!utf8Locale()), "\n"))
		return err
	})
	return answered(check.Of(result, c.requireMatches), err)
}

// rules loads the rules. A check without rules would always be passed.
func (c *checkRules) rules() (*policy.Config, error) {
	config, err := c.load()
	if err != nil {
		return nil, err
	}
	if len(config.Rules) == 0 {
		return nil, usagef("there are no rules to check by: write some " +
			"(\"landlockd rules suggest\" begins them), or give --config.file")
	}
	c.assets = config.Assets
	return config, nil
}

// one judges one process by --expect, however young it is.
func (c *checkRules) one(w io.Writer) error {
	config, err := c.load() // its assets can be asked for
	if err != nil {
		return err
	}
	c.assets = config.Assets
	expect, err := policy.ParseExpect(c.expect, c.assets...)
	if err != nil {
		return usagef("--expect: %w", err)
	}
	snap, p, from, err := c.process(subject{pid: int32(c.pid)})
	if err != nil {
		return err
	}
	one := check.One{Snapshot: snap, Process: p, Origin: from.word}
	one.Result, one.Reason, one.Why = expect.Judge(snap, p)
	switch c.format {
	case formatJSON:
		err = one.JSON(w)
	case formatNagios:
		status := [...]check.Status{
			check.Compliant: check.OK, check.Violated: check.Critical, check.Undecided: check.Unknown,
			check.Waived: check.OK,
		}[one.Answer()]
		return cmp.Or(check.NagiosLine(w, status, one.Text(true)), reported(int(status)))
	default:
		_, err = fmt.Fprintln(w, one.Text(!utf8Locale()))
	}
	return answered(one.Answer(), err)
}

// answered turns an answer that was written into an exit code.
func answered(a check.Answer, err error) error {
	if err != nil {
		return codeError{exitUndecided, fmt.Errorf("write the answer: %w", err)}
	}
	return reported([...]int{
		check.Compliant: exitOK, check.Violated: exitFailure, check.Undecided: exitUndecided,
		check.Waived: exitOK,
	}[a])
}
