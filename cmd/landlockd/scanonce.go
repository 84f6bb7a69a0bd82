// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/check"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

const (
	formatPrometheus = "prometheus"
	formatJSON       = "json"
)

// snapshot scans once, and returns which sources were tried.
func (s *settings) snapshot() (*scan.Snapshot, map[string]string, error) {
	src, f, err := s.openSource()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = src.Close() }()
	snap, err := src.Scan(context.Background())
	return snap, f.tried, err
}

// onceRuleTime is how long a command that scans once may read rules of domains: it
// has no later scan that goes on.
const onceRuleTime = 10 * time.Second

// openSource opens what a command scans with, and returns what it was found among.
func (s *settings) openSource() (scan.Source, *found, error) {
	f, err := s.findSources(onceRuleTime)
	if err != nil {
		return nil, nil, err
	}
	return workload.NewSource(s.reader(f.source, f.attribute, f.kernel, f.failure), s.resolver()), f, nil
}

// once writes one scan's result. A failed scan is written too, as metrics:
// whoever collects them must learn that there is no result.
func (s *settings) once(w io.Writer) error {
	if s.textfile != "" {
		// Another file is renamed over it: as root, over a device, too.
		if st, err := os.Lstat(s.textfile); err == nil && !st.Mode().IsRegular() {
			return usageError{fmt.Errorf("--textfile %q is there already, and no regular file", s.textfile)}
		}
	}
	config, err := s.loadConfig()
	if err != nil {
		return configError(err)
	}
	snap, tried, err := s.snapshot()
	if tried == nil && err != nil {
		return err
	}
	state := collector.Config{Loaded: len(config.Rules), Hash: config.Hash, Reloaded: true, Since: time.Now()}
	var result *policy.Evaluation
	if err == nil {
		result = s.evaluator(config, snap).Evaluate(snap)
		state.Applied = result.Applied
	}
	if s.format == formatJSON {
		if err != nil {
			return err
		}
		o := view.JSONOptions{Summary: s.summary, Rules: check.Rules(result, !s.summary)}
		return buffered(w, func(w io.Writer) error { return view.JSON(w, snap, o) })
	}
	reg := prometheus.NewRegistry()
	// Without an end: a single run has no runtime and no counters to export.
	var shown collector.Scrape
	d := collector.Daemon{Sources: tried, Build: build()}
	if err == nil {
		d.Scans.LastSuccess = snap.Time.Add(snap.Duration)
		shown = s.scrape(result, nil)
	}
	shown.Snapshot, shown.Config, shown.Daemon = snap, &state, &d
	reg.MustRegister(&shown)
	var werr error
	if s.textfile != "" {
		werr = prometheus.WriteToTextfile(s.textfile, reg)
	} else {
		werr = buffered(w, func(w io.Writer) error { return writeMetrics(w, reg) })
	}
	if err != nil {
		return err
	}
	return werr
}

func writeMetrics(w io.Writer, g prometheus.Gatherer) error {
	families, err := g.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}

// buffered keeps the write of a large result from being many.
func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func (s *settings) tree(w io.Writer) error {
	snap, _, err := s.snapshot()
	if err != nil {
		return err
	}
	o := view.Options{All: s.all, ASCII: s.ascii || !utf8Locale(), Width: terminalWidth()}
	write := view.Tree
	if s.domains {
		write = view.Domains
	}
	return buffered(w, func(w io.Writer) error { return write(w, snap, o) })
}

// terminalWidth is 0 if standard output is no terminal.
func terminalWidth() int {
	ws, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}

// utf8Locale follows the order of setlocale(3).
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
