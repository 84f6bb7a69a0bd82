// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
)

// ruleFile is the flag of commands that have to do with rules.
type ruleFile struct{ path string }

func (r *ruleFile) flags(c *kingpin.CmdClause) {
	c.Flag("config.file", "File with the rules; "+inforce.DefaultConfig+" if there is one, "+
		"else the rule files that packages and the host have in rules.d.").
		PlaceHolder("FILE").StringVar(&r.path)
}

// load loads the rules. Without any file there are none.
func (r *ruleFile) load() (*policy.Config, error) {
	config, err := inforce.Load(r.path)
	if err != nil {
		return nil, usageError{inforce.Brief(err)}
	}
	return config, nil
}
