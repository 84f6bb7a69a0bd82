// SPDX-License-Identifier: Apache-2.0

// Command landlockd reads every task's Landlock domain and exports coverage and
// nesting depth as Prometheus metrics.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/daemon"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// command is one command of the program, in a file of its own. It embeds the flags of
// all commands that it has a use for, and those that it shares with some.
type command interface {
	// declare adds the command and its flags.
	declare(*kingpin.Application) *kingpin.CmdClause
	// validate refuses flags that do not belong together.
	validate() error
	// run does what the command is for. Its result goes to out.
	run(out io.Writer) error
}

// commands are all of them, in the order of --help.
func commands(g *globals) []command {
	return []command{
		&serve{globals: g},
		&once{globals: g},
		&listServices{asking: asking{look: look{globals: g}}},
		&listProcesses{asking: asking{look: look{globals: g}}},
		&drawTree{asking: asking{look: look{globals: g}}},
		&liveView{asking: asking{look: look{globals: g}}},
		&checkRules{asking: asking{look: look{globals: g}}},
		&checkConfig{},
		&suggestRules{asking: asking{look: look{globals: g}}},
		&knownPrograms{asking: asking{look: look{globals: g}}},
		&showLog{},
		&explainProcess{asking: asking{look: look{globals: g}}},
		&examine{globals: g},
		&browse{asking: asking{look: look{globals: g}}},
		&lookApart{},
	}
}

// init runs on the main thread, whose name is the process's.
func init() { daemon.EnterStage() }

func main() {
	// Not until it is known whether this is a daemon does SIGHUP end it.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
	version.Version = cmp.Or(version.Version, "dev") // a plain go build sets none
	os.Exit(run(os.Args))
}

// run is main with the exit code as its result. What went wrong is one line on
// standard error, or one for each problem of a configuration.
func run(args []string) int {
	c, err := parse(args[1:])
	if err == nil {
		if _, daemon := c.(*serve); !daemon {
			signal.Reset(unix.SIGHUP) // it ends with its terminal
			collectLate()
		}
		if err = checkDescriptors(c); err == nil {
			err = c.run(os.Stdout)
		}
	}
	if err == nil {
		return exitOK
	}
	name := "landlockd"
	if len(args) > 0 && args[0] != "" {
		name = filepath.Base(args[0])
	}
	var quiet quietError
	if !errors.As(err, &quiet) {
		for _, line := range linesOf(err) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", name, untrusted.OneLine(line))
		}
	}
	return exitCode(err)
}

// linesOf returns what an error says, a line for each problem of a configuration.
func linesOf(err error) []string {
	load, ok := errors.AsType[*policy.LoadError](err)
	if !ok || len(load.Problems) < 2 {
		return []string{err.Error()}
	}
	lines := make([]string, len(load.Problems))
	for i, p := range load.Problems {
		lines[i] = p.String()
	}
	return lines
}

// standardInput is what "-" is an abbreviation of.
const standardInput = "/dev/stdin"

// parse returns the command that the arguments are about, with the values of its flags.
func parse(args []string) (command, error) {
	args = slices.Clone(args)
	if len(args) > 0 && args[0] == "help" { // kingpin's own ends the program if it is of no command
		args = append(args[1:], "--help")
	}
	for i, arg := range args {
		if arg == "-" { // kingpin takes it for an empty argument
			args[i] = standardInput
		}
	}
	app := kingpin.New("landlockd", "Shows which processes of a host are sandboxed with "+
		"Landlock, and how deep.\n\nWithout a command it serves metrics for Prometheus at http://"+
		defaultAddress+"/metrics. To let other hosts scrape it, give --web.listen-address, and "+
		"--web.config.file for TLS and authentication (landlockd serve --help).")
	app.HelpFlag.Short('h')
	app.UsageWriter(os.Stdout)
	app.Version(version.Print("landlockd"))
	app.VersionFlag.Short('V')
	g := newGlobals()
	byName := map[string]command{}
	for _, c := range commands(g) {
		byName[c.declare(app).FullCommand()] = c
	}
	name, err := app.Parse(args)
	if err != nil {
		return nil, usageOf(app, args, err)
	}
	if flag := emptyFlag(app, args); flag != "" {
		return nil, usagef("--%s is empty: a variable that is not set? Leave the flag out, or give it a value", flag)
	}
	c := byName[name]
	return c, c.validate()
}

// emptyFlag returns the name of a flag with an empty value. An address, a file or an
// expression that is empty by mistake would mean all interfaces, no authentication, or
// every name. The API's socket may be none.
func emptyFlag(app *kingpin.Application, args []string) string {
	parsed, err := app.ParseContext(args)
	if err != nil {
		return ""
	}
	for _, e := range parsed.Elements {
		f, ok := e.Clause.(*kingpin.FlagClause)
		if ok && e.Value != nil && *e.Value == "" && f.Model().Name != socketFlag {
			return f.Model().Name
		}
	}
	return ""
}
