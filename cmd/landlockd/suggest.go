// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/suggest"
	"github.com/landlockd/landlockd/scan"
)

// suggestRules writes rules for what is sandboxed now.
type suggestRules struct {
	asking
	ruleFile
}

func (s *suggestRules) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("rules", "Work with rules.").
		Command("suggest", "Write rules that expect what is sandboxed now to stay so; "+
			"services that are not, or not as they should be, as rules in comments.")
	s.asking.flags(c)
	s.rootfs(c)
	s.ruleFile.flags(c)
	return c
}

func (s *suggestRules) run(out io.Writer) error {
	config, err := s.load() // for its assets, and for the names that its rules have
	if err != nil {
		return err
	}
	s.assets = config.Assets
	var used []string
	for i := range config.Rules {
		used = append(used, config.Rules[i].Name)
	}
	snap, _, err := s.judged(func(snap *scan.Snapshot) (bool, []int32) {
		for i := range snap.Processes {
			if !settled(snap, &snap.Processes[i]) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return buffered(out, func(w io.Writer) error { return suggest.Write(w, snap, used) })
}
