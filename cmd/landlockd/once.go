// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/check"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/textfile"
	"github.com/landlockd/landlockd/scan"
)

const (
	formatPrometheus = "prometheus"
	formatJSON       = "json"
)

// once writes one scan's result.
type once struct {
	*globals
	lookLimit
	ruleFile
	metricFlags
	format   string
	textfile string
	summary  bool
}

func (o *once) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("once", "Scan once and write the result to standard output.")
	c.Flag("format", "Form of the result: prometheus, json.").Default(formatPrometheus).
		EnumVar(&o.format, formatPrometheus, formatJSON)
	c.Flag("textfile", "Write to this file instead, in one step, for the textfile collector of "+
		"node_exporter.").PlaceHolder("PATH").StringVar(&o.textfile)
	c.Flag("summary", "With --format=json: counts, without names.").BoolVar(&o.summary)
	o.globals.flags(c)
	o.rootfs(c)
	o.logging(c)
	o.lookLimit.flags(c)
	o.ruleFile.flags(c)
	o.metricFlags.flags(c)
	return c
}

func (o *once) validate() error {
	err := cmp.Or(o.globals.validate(), o.lookLimit.validate(), o.metricFlags.validate())
	switch {
	case err != nil:
		return err
	case o.textfile != "" && o.format != formatPrometheus:
		return usagef("--textfile is for --format=%s, not for %s", formatPrometheus, o.format)
	case o.summary && o.format != formatJSON:
		return usagef("--summary is for --format=%s: metrics are counts without names already",
			formatJSON)
	}
	return nil
}

// run writes a failed scan, too, as metrics: whoever collects them must learn that
// there is no result.
func (o *once) run(out io.Writer) error {
	if o.textfile != "" {
		if err := textfile.Check(o.textfile); err != nil {
			return usagef("--textfile %w", err)
		}
	}
	config, err := o.load()
	if err != nil {
		return err
	}
	d, cancel := o.begin()
	defer cancel()
	src, found, err := o.open(d, config.Assets)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		found = &sources.Found{}
	case err != nil:
		return err
	}
	var snap *scan.Snapshot
	var result *policy.Evaluation
	if err == nil {
		snap, result, err = o.scan(d, src, config)
	}
	if o.format == formatJSON {
		if err != nil {
			return err
		}
		j := recorded.Options{Summary: o.summary, Rules: check.Rules(result, !o.summary)}
		return buffered(out, func(w io.Writer) error { return recorded.Write(w, snap, j) })
	}
	return cmp.Or(err, o.write(out, o.shown(config, found, snap, result)))
}

// scan returns a snapshot and what rules say of it, or neither.
func (o *once) scan(
	d deadline, src scan.Source, config *policy.Config,
) (*scan.Snapshot, *policy.Evaluation, error) {
	snap, err := inTime(d, "scanning", func() (*scan.Snapshot, error) { return src.Scan(d) })
	if err != nil {
		return nil, nil, err
	}
	result, err := inTime(d, "judging what was scanned", func() (*policy.Evaluation, error) {
		return evaluator(config, o.sources.ProcFS, policy.Options{Unmatched: true}).Evaluate(snap), nil
	})
	if err != nil {
		return nil, nil, err
	}
	return snap, result, nil
}

// shown has the metrics of one scan; snap and result are nil if it failed.
func (o *once) shown(
	config *policy.Config, found *sources.Found, snap *scan.Snapshot, result *policy.Evaluation,
) *collector.Scrape {
	// Without counters, which a single run has none of.
	own := collector.Daemon{Sources: found.Tried, Build: build()}
	state := collector.Config{
		Loaded: len(config.Rules), Hash: config.Hash, Reloaded: true, Since: time.Now(),
	}
	var shown collector.Scrape
	if snap != nil {
		own.Scans.LastSuccess = snap.Time.Add(snap.Duration)
		state.Applied = result.Applied
		shown = o.options.Scrape(snap, result, nil)
	}
	shown.Config, shown.Daemon = &state, &own
	return &shown
}

func (o *once) write(out io.Writer, shown *collector.Scrape) error {
	families, err := shown.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	page := func(w io.Writer) error {
		for _, f := range families {
			if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
				return fmt.Errorf("write metrics: %w", err)
			}
		}
		return nil
	}
	if o.textfile == "" {
		return buffered(out, page)
	}
	err = textfile.Write(o.textfile, func(w io.Writer) error { return buffered(w, page) })
	if err != nil {
		return fmt.Errorf("--textfile %s: %w", o.textfile, err)
	}
	return nil
}
