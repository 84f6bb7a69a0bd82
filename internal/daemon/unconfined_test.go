// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/scan"
)

// confined is the status of a stage in which everything holds but what is given.
func confined(but map[confine.Mechanism]confine.Reason) confine.Status {
	var s confine.Status
	for m := range s {
		s[m] = confine.Holds
	}
	for m, r := range but {
		s[m] = r
	}
	return s
}

// What a stage does that is not confined in every way.
func TestSettle(t *testing.T) {
	type lacks = map[confine.Mechanism]confine.Reason
	const serves, refuses, ends = "serves", "refuses", "ends"
	for _, c := range []struct {
		lacks               lacks
		unfiltered          bool
		require, bestEffort string
	}{
		{lacks: lacks{}, require: serves, bestEffort: serves},
		{lacks: lacks{confine.Capabilities: confine.Kept}, require: serves, bestEffort: serves},
		{lacks: lacks{confine.Landlock: confine.TooManyLayers}, require: refuses, bestEffort: serves},
		{lacks: lacks{confine.Dumpable: confine.Refused, confine.Keyring: confine.ReadBack}, require: refuses, bestEffort: serves},
		{lacks: lacks{confine.Seccomp: confine.Refused}, unfiltered: true, require: refuses, bestEffort: serves},
		{lacks: lacks{confine.UserID: confine.Root}, require: refuses, bestEffort: serves},
		{lacks: lacks{confine.NoNewPrivs: confine.Refused}, require: refuses, bestEffort: refuses},
		{lacks: lacks{confine.Capabilities: confine.ReadBack}, require: refuses, bestEffort: refuses},
		{lacks: lacks{confine.Capabilities: confine.Unread}, require: refuses, bestEffort: refuses},
		{lacks: lacks{confine.Capabilities: confine.ReadBack, confine.Seccomp: confine.Refused}, unfiltered: true, require: ends, bestEffort: ends},
	} {
		for mode, want := range map[Confinement]string{Require: c.require, BestEffort: c.bestEffort} {
			d, _ := newDaemon(t, "")
			d.o.Confine, d.status = mode, confined(c.lacks)
			err := d.settle(!c.unfiltered)
			got := serves
			switch {
			case err != nil:
				got = ends
			case len(d.refused) > 0:
				got = refuses
			}
			if got != want {
				t.Errorf("%s, without %v: it %s, want %s (%v)", mode, c.lacks, got, want, err)
			}
			if (d.api == nil) != (got == refuses) || len(d.listeners) != 1 {
				t.Errorf("%s, without %v: API %v, %d listeners", mode, c.lacks, d.api, len(d.listeners))
			}
			d.close()
		}
	}
}

// A stage that is refused serves that, and why, and nothing else.
func TestServeRefused(t *testing.T) {
	config := filepath.Join(t.TempDir(), "landlockd.yml")
	if err := os.WriteFile(config, []byte(rules(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d, url := newDaemon(t, config)
	d.o.Confine = Require
	d.status = confined(map[confine.Mechanism]confine.Reason{confine.Landlock: confine.TooManyLayers})
	if err := d.settle(true); err != nil {
		t.Fatal(err)
	}
	d.reader = d.found.Reader(d.o.Sources)
	if _, err := d.reader.Scan(t.Context()); scan.FailureReason(err) != notConfined {
		t.Errorf("it scans: %v", err)
	}
	go func() { _ = d.Serve(t.Context(), nil) }()
	until(t, url+"/-/ready", "landlock: start landlockd outside of Landlock domains")
	if code, _ := request(t, http.MethodGet, url+"/-/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("/-/ready: %d", code)
	}
	code, page := request(t, http.MethodGet, url+"/metrics")
	if code != http.StatusOK {
		t.Errorf("/metrics: %d", code)
	}
	want := map[string]bool{
		`landlockd_scan_success 0`: true, `landlockd_confined{mechanism="seccomp"} 1`: true,
		`landlockd_confine_failed{mechanism="landlock",reason="too_many_layers"} 1`: true,
		`landlockd_source_available{reason="not_confined",source="taskiter"} 0`:     true,
		`landlockd_rules{status="loaded"} 1`:                                        true,
	}
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "landlockd_") {
			t.Errorf("it exports %s", line)
		}
		delete(want, strings.TrimSpace(line))
	}
	for line := range maps.Keys(want) {
		t.Errorf("no %s in:\n%s", line, page)
	}
}

// Every failure has advice of its own.
func TestAdvice(t *testing.T) {
	seen := map[string]confine.Reason{}
	for r := confine.Unread; r <= confine.ReadBack; r++ {
		if r == confine.Holds || r == confine.Kept {
			continue // no failures
		}
		text := adviceFor(confine.Failure{Reason: r})
		if other, found := seen[text]; found {
			t.Errorf("%v and %v: %s", other, r, text)
		}
		seen[text] = r
	}
}
