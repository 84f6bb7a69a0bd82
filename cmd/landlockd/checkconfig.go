// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// checkConfig validates configuration files.
type checkConfig struct {
	files []string
}

func (c *checkConfig) declare(app *kingpin.Application) *kingpin.CmdClause {
	cmd := app.Command("check-config", "Check configuration and rule files strictly: every "+
		"error with file, line and column, and warnings of what is hardly meant. Exit code: 0 valid, "+
		"with warnings too, 2 not.")
	cmd.Arg("file", "Configuration or rule file, - for standard input; what landlockd would read by "+
		"itself if none is given.").StringsVar(&c.files)
	return cmd
}

func (c *checkConfig) validate() error { return nil }

// run prints all that is wrong with the files on standard error, a line each, with its
// place.
func (c *checkConfig) run(out io.Writer) error {
	rules, files := 0, 0
	bad := false
	// The exit code shows it, too.
	say := func(text string) { _, _ = io.WriteString(os.Stderr, untrusted.OneLine(text)+"\n") }
	check := func(config *policy.Config, err error) {
		var load *policy.LoadError
		switch {
		case errors.As(err, &load):
			for _, p := range load.Problems {
				say(p.String())
			}
		case err != nil:
			say(err.Error())
		default:
			for _, p := range slices.Concat(config.Warnings, config.Lapsed(time.Now())) {
				p.Message = "warning: " + p.Message
				say(p.String())
			}
			rules, files = rules+len(config.Rules), files+len(config.Files)
		}
		bad = bad || err != nil
	}
	for _, file := range c.files {
		if file == standardInput { // which is no regular file
			check(policy.Read("standard input", os.Stdin))
			continue
		}
		check(policy.Load(file))
	}
	if len(c.files) == 0 {
		check(inforce.Load(""))
	}
	if bad {
		return usageError{quietError{errors.New("the configuration is not valid")}}
	}
	_, err := fmt.Fprintf(out, "OK: %s in %s\n",
		plural.Count(rules, "rule"), plural.Count(files, "file"))
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
