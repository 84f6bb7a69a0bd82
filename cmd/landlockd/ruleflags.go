// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/alecthomas/kingpin/v2"
)

// checkSettings are the flags of check, check-config and rules suggest.
type checkSettings struct {
	snapshot               string
	pid, explain           int64
	pidGiven, explainGiven bool
	expect                 string
	requireMatches         bool
	format                 string
	files                  []string
}

const (
	formatText   = "text"
	formatNagios = "nagios"
)

// ruleCommands defines what has to do with rules.
func (s *settings) ruleCommands(app *kingpin.Application, serve, once *kingpin.CmdClause) {
	check := app.Command(cmdCheck, "Judge the processes of this host, or of a recorded snapshot, by the rules. Exit code: 0 compliant (a process younger than a rule's grace is told and counts as compliant), "+
		"1 violated (with --require-matches also: a rule is about no process), "+
		"2 wrong usage or configuration, 3 it could not be told. With -o nagios: 0 ok, 1 warning, 2 critical, 3 unknown.")
	for _, c := range []*kingpin.CmdClause{serve, once, check} {
		c.Flag("config.file", "File with the rules; "+defaultConfig+" if there is one, else the rule files that packages and the host have in rules.d.").
			PlaceHolder("FILE").StringVar(&s.configFile)
	}
	check.Flag("snapshot", "Judge this file, which \"landlockd once --format=json\" wrote, instead of the host.").PlaceHolder("FILE").StringVar(&s.check.snapshot)
	check.Flag("pid", "Judge one process by --expect, without rules.").PlaceHolder("PID").
		IsSetByUser(&s.check.pidGiven).Int64Var(&s.check.pid)
	check.Flag("expect", "What --pid must be, such as state=sandboxed,min_depth=1,restricts=fs.write_file,net.*; "+
		"keys: state, effective (true unless given), min_depth, max_depth, restricts, "+
		"and beside that on_old_kernel, outside_workers; or state=unsandboxed alone.").
		PlaceHolder("EXPECT").StringVar(&s.check.expect)
	check.Flag("explain", "Show which rules apply to one process, why the others do not, and what they say.").PlaceHolder("PID").
		IsSetByUser(&s.check.explainGiven).Int64Var(&s.check.explain)
	check.Flag("require-matches", "A rule that is about no process is violated, too: "+
		"its match may be misspelled. If it is not known whether it is about one, "+
		"it could not be told.").
		BoolVar(&s.check.requireMatches)
	check.Flag("output", "Form of the answer: text, json, nagios.").Short('o').Default(formatText).EnumVar(&s.check.format, formatText, formatJSON, formatNagios)

	config := app.Command(cmdConfig, "Check configuration and rule files strictly: every "+
		"error with file, line and column, and warnings of what is hardly meant. Exit code: 0 valid, "+
		"with warnings too, 2 not.")
	config.Arg("file", "Configuration or rule file; what landlockd would read by itself if none is given.").StringsVar(&s.check.files)

	rules := app.Command("rules", "Work with rules.")
	suggest := rules.Command("suggest", "Write rules that expect what is sandboxed now to stay so; what is not sandboxed, as comments.")
	suggest.Flag("snapshot", "Look at this file, which \"landlockd once --format=json\" wrote, instead of the host.").PlaceHolder("FILE").StringVar(&s.check.snapshot)
}

// validate refuses flags that do not belong together.
func (c *checkSettings) validate() error {
	// 0 is what service managers call the PID of what does not run.
	if c.pidGiven && !isPID(c.pid) {
		return usageError{fmt.Errorf("--pid: %d is no PID", c.pid)}
	}
	if c.explainGiven && !isPID(c.explain) {
		return usageError{fmt.Errorf("--explain: %d is no PID", c.explain)}
	}
	switch {
	case c.pidGiven != (c.expect != ""):
		return usageError{errors.New("--pid and --expect are for each other; --explain tells what rules say of one process")}
	case c.pidGiven && c.explainGiven:
		return usageError{errors.New("--pid and --explain exclude each other")}
	case c.requireMatches && (c.pidGiven || c.explainGiven):
		return usageError{errors.New("--require-matches is about all processes, " +
			"--pid and --explain about one")}
	case c.explainGiven && c.format == formatNagios:
		return usageError{fmt.Errorf("--explain is for people and programs, not for -o %s", formatNagios)}
	default:
		return nil
	}
}

func isPID(n int64) bool { return n > 0 && n <= math.MaxInt32 }
