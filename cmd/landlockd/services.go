// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/services"
	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// listServices lists workloads.
type listServices struct {
	asking
	ruleFile
	listing
	states, workloads, assetNames []string
	sort                          string
}

func (l *listServices) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("services", "List the services of this host, the worst first: which are "+
		"sandboxed, what that restricts, and what rules say of them.")
	c.Flag("state", "Only services in this state (repeatable): violating (a rule), partial, "+
		"unsandboxed, unknown, ineffective, sandboxed.").
		EnumsVar(&l.states, services.Words()...)
	workloadFlag(c, &l.workloads)
	c.Flag("asset", "A column more: whether Landlock keeps them from this asset of the "+
		"configuration (repeatable).").PlaceHolder("NAME").StringsVar(&l.assetNames)
	c.Flag("sort", "Order: state, workload, processes, depth, age.").Default(services.Sorts()[0]).
		EnumVar(&l.sort, services.Sorts()...)
	l.listing.flags(c)
	l.ruleFile.flags(c)
	l.asking.flags(c)
	l.rootfs(c)
	return c
}

func workloadFlag(c *kingpin.CmdClause, globs *[]string) {
	c.Flag("workload", "Only workloads whose name this pattern of the shell (*, ?, [a-z]) matches "+
		"as a whole (repeatable).").PlaceHolder("PATTERN").StringsVar(globs)
}

// checkGlobs refuses malformed patterns of a flag.
func checkGlobs(flag string, globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return usagef("--%s %q: %w", flag, glob, err)
		}
	}
	return nil
}

func (l *listServices) validate() error {
	return cmp.Or(l.asking.validate(), checkGlobs("workload", l.workloads))
}

func (l *listServices) run(out io.Writer) error {
	config, err := l.load()
	if err != nil {
		return err
	}
	l.assets = config.Assets
	snap, from, err := l.snapshot()
	if err != nil {
		return err
	}
	assets, err := l.asked(snap, from)
	if err != nil {
		return err
	}
	d, cancel := l.begin()
	defer cancel()
	rules, err := inTime(d, "judging what was scanned", func() (*policy.Evaluation, error) {
		e := l.evaluator(config, policy.Options{ByWorkload: true})
		return e.Evaluate(snap), nil
	})
	if err != nil {
		return err
	}
	all := services.Of(snap, rules.ByWorkload, assets...)
	found := len(all)
	all = slices.DeleteFunc(all, func(s services.Service) bool {
		return !facts.Matches(l.workloads, s.Name) || len(l.states) > 0 && !slices.ContainsFunc(l.states, s.Is)
	})
	services.Sort(all, l.sort)
	return buffered(out, func(w io.Writer) error {
		switch l.format {
		case formatJSON:
			return services.JSON(w, snap, all, from.word)
		case formatLines:
			return services.JSONLines(w, snap, all)
		default:
			err := services.Text(w, snap, all, l.style(), l.format == formatWide)
			return cmp.Or(err, l.below(w, snap, rules, found-len(all), from))
		}
	})
}

// asked returns the places of the assets that are asked for, which a daemon or a file has from
// its own configuration.
func (l *listServices) asked(snap *scan.Snapshot, from origin) (places []int, err error) {
	for _, name := range l.assetNames {
		at := slices.IndexFunc(snap.Assets, func(a domainid.Asset) bool { return a.Name == name })
		switch {
		case at < 0 && snap.Part:
			return nil, errors.New("--asset: the daemon answers who is kept from assets to those alone " +
				"who see the whole host")
		case at < 0:
			return nil, usagef("--asset: %s (%s)", policy.NoAsset(name, snap.Assets), from.text)
		}
		if !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	return places, nil
}

// below writes what stands below the table.
func (l *listServices) below(
	w io.Writer, snap *scan.Snapshot, rules *policy.Evaluation, hidden int, from origin,
) error {
	var lines []string
	if hidden > 0 {
		lines = append(lines, "Not shown: "+plural.Count(hidden, "workload"))
	}
	for _, r := range rules.Rules {
		for _, v := range r.Violations {
			if v.Reason == policy.TooFew {
				lines = append(lines, fmt.Sprintf("Rule %s is violated: %s too few",
					r.Rule.Name, plural.Count(v.Processes, "process")))
			}
		}
	}
	return l.style().Lines(w, slices.Concat(lines, tree.Below(snap), from.lines(l.ascii()))...)
}
