// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// checkConfig validates files and prints all that is wrong with them, a line each,
// with its place.
func (s *settings) checkConfig(stdout, stderr io.Writer) error {
	rules, files := 0, 0
	bad := false
	// The exit code shows it, too.
	say := func(text string) { _, _ = io.WriteString(stderr, untrusted.OneLine(text)+"\n") }
	check := func(c *policy.Config, err error) {
		var load *policy.LoadError
		switch {
		case errors.As(err, &load):
			for _, p := range load.Problems {
				say(p.String())
			}
		case err != nil:
			say(err.Error())
		default:
			for _, p := range c.Warnings {
				p.Message = "warning: " + p.Message
				say(p.String())
			}
			rules, files = rules+len(c.Rules), files+len(c.Files)
		}
		bad = bad || err != nil
	}
	for _, file := range s.check.files {
		check(policy.Load(file))
	}
	if len(s.check.files) == 0 {
		check(s.loadConfig())
	}
	if bad {
		return usageError{quietError{errors.New("told")}}
	}
	if _, err := fmt.Fprintf(stdout, "OK: %s in %s\n", plural.Count(rules, "rule"), plural.Count(files, "file")); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
