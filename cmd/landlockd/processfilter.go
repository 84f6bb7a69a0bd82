// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/nearest"
	"github.com/landlockd/landlockd/internal/tree"
)

// processFilter are the flags of commands that list some processes.
type processFilter struct {
	tree.Filter
	domain string
}

func (f *processFilter) flags(c *kingpin.CmdClause) {
	c.Flag("state", "Only processes in this state (repeatable): sandboxed (and restricted in "+
		"something), ineffective, partial, unsandboxed, unknown.").EnumsVar(&f.States, tree.States()...)
	workloadFlag(c, &f.Workloads)
	c.Flag("domain", "Only processes in this domain, or in one that is nested in it.").
		PlaceHolder("ID").StringVar(&f.domain)
	c.Flag("right", "Only processes that are restricted for certain in a right that this pattern "+
		"matches, as fs.write_file or net.* (repeatable).").PlaceHolder("PATTERN").StringsVar(&f.Rights)
	c.Flag("pid", "Only this process (repeatable).").PlaceHolder("PID").Int32ListVar(&f.PIDs)
}

func (f *processFilter) validate() error {
	if err := cmp.Or(checkGlobs("workload", f.Workloads), checkGlobs("right", f.Rights)); err != nil {
		return err
	}
	for _, glob := range f.Rights {
		if len(access.Match(glob)) == 0 {
			meant := nearest.Hint(glob, access.Names(access.Supported(math.MaxInt)))
			return usagef("--right %q matches no right%s", glob, cmp.Or(meant, ": docs/rights.md has their names"))
		}
	}
	for _, pid := range f.PIDs {
		if !isPID(int64(pid)) {
			return usagef("--pid: %d is no PID", pid)
		}
	}
	if f.domain == "" {
		return nil
	}
	var err error
	if f.Domain, err = domainid.Parse(f.domain); err != nil {
		return usagef("--domain: %w", err)
	}
	return nil
}
