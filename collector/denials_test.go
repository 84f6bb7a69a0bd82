// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// someDenials are those of a host with Landlock of ABI 1, and of a right that came
// later and one that nobody knows.
func someDenials() denials.Stats {
	kernel := scan.Kernel{Landlock: scan.Enabled, ABI: 1, Rights: access.Exactly(access.Supported(1))}
	s := denials.Stats{
		Total: 1234, TotalKnown: true, Fed: true, Blockers: denials.Supported(kernel), Lost: 5,
		ByWorkload: map[string]uint64{"a.service": 7, "b\"\n": 1, denials.UnknownWorkload: 2, Other: 3},
	}
	s.ByBlocker[denials.RightBlocker(access.FS, 2)] = 9
	s.ByBlocker[denials.RightBlocker(access.FS, 31)] = 1
	s.ByBlocker[denials.RightBlocker(access.Net, 1)] = 2
	s.ByBlocker[denials.Ptrace] = 3
	s.ByBlocker[denials.Unknown] = 4
	return s
}

func gatherDenials(s denials.Stats) prometheus.Gatherer {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(NewDenials(s))
	return reg
}

func TestDenials(t *testing.T) {
	g := gatherDenials(someDenials())
	golden(t, filepath.Join("testdata", "denials.prom"), render(t, g, expfmt.NewFormat(expfmt.TypeTextPlain)))
	golden(t, filepath.Join("testdata", "denials.openmetrics"), render(t, g, expfmt.NewFormat(expfmt.TypeOpenMetrics)))
	problems, err := testutil.GatherAndLint(g)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v: %v", err, problems)
	}
}

// What is not known is absent, not 0.
func TestUnknownDenials(t *testing.T) {
	if text := render(t, gatherDenials(denials.Stats{Total: 7, Lost: 7}), expfmt.NewFormat(expfmt.TypeTextPlain)); len(text) > 0 {
		t.Errorf("%s", text)
	}
	few := gatherDenials(denials.Stats{TotalKnown: true})
	if n := testutil.CollectAndCount(NewDenials(denials.Stats{TotalKnown: true})); n != 1 {
		t.Errorf("%d series of a host that counts only:\n%s", n, render(t, few, expfmt.NewFormat(expfmt.TypeTextPlain)))
	}
}
