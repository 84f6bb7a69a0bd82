// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// countsRunsBy reports whether landlockd_source_info says so.
func (m metrics) countsRunsBy(way string) bool {
	for series := range m {
		if strings.HasPrefix(series, "landlockd_source_info{") {
			return strings.Contains(series, `runs="`+way+`"`)
		}
	}
	return false
}

// atTracepoints counts the programs of a daemon that are no iterators.
func (d *daemon) atTracepoints(t *testing.T) (n int) {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		b, err := os.ReadFile(info)
		_, kind, isLink := strings.Cut(string(b), "link_type:\t")
		if err == nil && isLink && !strings.HasPrefix(kind, "iter\n") {
			n++
		}
	}
	return n
}

// TestNoRuns: without the collector no program of it is loaded.
func TestNoRuns(t *testing.T) {
	const denials = "--no-collector.denials" // their programs are at tracepoints, too
	counts := startDaemon(t, daemonOptions{args: []string{denials}})
	d := startDaemon(t, daemonOptions{args: []string{denials, "--no-collector.runs"}})
	if n, other := d.atTracepoints(t), counts.atTracepoints(t); n != 0 || other == 0 {
		t.Errorf("%d programs are loaded, and %d where runs are counted", n, other)
	}
	m := d.scrape(t)
	if !m.countsRunsBy("none") || m.countsRunsBy("tracepoints") {
		t.Error("landlockd_source_info does not say that runs are not counted")
	}
	for series := range m {
		if ofRuns.MatchString(series) || strings.HasPrefix(series, "landlockd_run") {
			t.Errorf("%s is exported", series)
		}
	}
}
