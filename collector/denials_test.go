// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/access"
)

// someDenials are those of a host with Landlock of ABI 1, and of a right that came
// later and one that nobody knows.
func someDenials() Denials {
	d := Denials{
		Total: 1234, TotalKnown: true, Lost: 5,
		ByWorkload: map[string]uint64{"a.service": 7, "b\"\n": 1, "process:unknown": 2, Other: 3},
		ByBlocker:  map[string]uint64{"ptrace": 3, "unknown": 4, "fs.change_topology": 0},
	}
	for _, right := range access.Names(access.Supported(1)) {
		d.ByBlocker[right] = 0
	}
	d.ByBlocker["fs.read_file"], d.ByBlocker["fs.bit31"], d.ByBlocker["net.connect_tcp"] = 9, 1, 2
	return d
}

func gatherDenials(d Denials) prometheus.Gatherer { return gather(Scrape{Denials: &d}) }

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
	if text := render(t, gatherDenials(Denials{Total: 7, Lost: 7}), expfmt.NewFormat(expfmt.TypeTextPlain)); len(text) > 0 {
		t.Errorf("%s", text)
	}
	few := gatherDenials(Denials{TotalKnown: true})
	if n := testutil.CollectAndCount(&Scrape{Denials: &Denials{TotalKnown: true}}); n != 1 {
		t.Errorf("%d series of a host that counts only:\n%s", n, render(t, few, expfmt.NewFormat(expfmt.TypeTextPlain)))
	}
}
