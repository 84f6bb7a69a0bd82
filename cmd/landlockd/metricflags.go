// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/metrics"
)

// metricFlags set which metrics there are.
type metricFlags struct {
	include, exclude string
	series           bool
	// options are what the flags come to.
	options metrics.Options
}

func (m *metricFlags) flags(c *kingpin.CmdClause) {
	o := &m.options
	c.Flag("workload.limit", "Number of workloads that have series of their own; the others are "+
		"added up as \"other\".").Default("100").SetValue((*whole)(&o.Workloads.Limit))
	c.Flag("workload.include", "Only workloads whose whole name this RE2 expression matches have "+
		"series of their own.").PlaceHolder("REGEXP").StringVar(&m.include)
	c.Flag("workload.exclude", "Workloads whose whole name this RE2 expression matches have none.").
		PlaceHolder("REGEXP").StringVar(&m.exclude)
	c.Flag("collector.workloads", "Export series for each workload; the number of workloads by "+
		"state is exported without, too.").Default("true").BoolVar(&m.series)
	c.Flag("collector.rights", "Export for each right of this kernel how many processes are "+
		"restricted in it: about 20 series.").Default("true").BoolVar(&o.Rights)
	c.Flag("collector.hardening", "Export how many processes have other hardening (no_new_privs, "+
		"seccomp, another user than root, a user namespace): about 8 series.").
		Default("true").BoolVar(&o.Hardening)
}

func (m *metricFlags) validate() error {
	o := &m.options.Workloads
	if o.Limit < 0 {
		return usagef("--workload.limit is %d, but cannot be negative", o.Limit)
	}
	o.Hide, o.Slots = !m.series, &collector.Slots{}
	for _, e := range []struct {
		flag, text string
		into       **regexp.Regexp
	}{{"include", m.include, &o.Include}, {"exclude", m.exclude, &o.Exclude}} {
		if e.text == "" {
			continue
		}
		r, err := collector.AnchoredRegexp(e.text)
		if err != nil {
			return usagef("--workload.%s: %w", e.flag, err)
		}
		*e.into = r
	}
	return nil
}
