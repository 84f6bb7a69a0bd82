// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

var update = flag.Bool("update", false, "write testdata and docs/metrics.md")

// gather returns what a scrape does, and checks it against the descriptors.
func gather(s Scrape) prometheus.Gatherer {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(&s)
	return reg
}

// all shows all of a scrape's snapshot.
func all(s Scrape) Scrape {
	s.Workloads, s.Rights, s.Hardening = &WorkloadOptions{Limit: 3}, true, true
	return s
}

func render(t *testing.T, g prometheus.Gatherer, f expfmt.Format) []byte {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, families, f)
}

func encode(t *testing.T, families []*dto.MetricFamily, f expfmt.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, f)
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := enc.(expfmt.Closer); ok {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go generate ./collector if this is meant. Got:\n%s", file, got)
	}
}

func TestGolden(t *testing.T) {
	for _, f := range fixtures() {
		t.Run(f.name, func(t *testing.T) {
			base := filepath.Join("testdata", f.name)
			golden(t, base+".prom", render(t, gather(all(f.scrape)), expfmt.NewFormat(expfmt.TypeTextPlain)))
			golden(t, base+".openmetrics", render(t, gather(all(f.scrape)), expfmt.NewFormat(expfmt.TypeOpenMetrics)))
		})
	}
}

func TestLint(t *testing.T) {
	for _, f := range fixtures() {
		problems, err := testutil.GatherAndLint(gather(all(f.scrape)))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", f.name, p.Metric, p.Text)
		}
	}
}

// Prometheus' own tool must find no fault in what is in testdata.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if testing.Short() {
			t.Skip("promtool is not installed")
		}
		t.Fatal("promtool is not installed; -short leaves this test out")
	}
	for _, f := range fixtures() {
		in, err := os.ReadFile(filepath.Join("testdata", f.name+".prom"))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = bytes.NewReader(in)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", f.name, err, out)
		}
	}
}

func TestFailedScanHasNoFact(t *testing.T) {
	for _, d := range []Scrape{failed(), neverScanned()} {
		families, err := gather(all(d)).Gather()
		if err != nil {
			t.Fatal(err)
		}
		success := -1.0
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "landlock_") {
				t.Errorf("%s is a fact of an older scan", f.GetName())
			}
			if f.GetName() == "landlockd_scan_success" {
				success = f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		if success != 0 {
			t.Errorf("landlockd_scan_success %v, want 0", success)
		}
	}
}

// Hostile text must not end the response, break a line or be invalid.
func TestHostileText(t *testing.T) {
	for _, f := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics} {
		text := render(t, gather(all(hostile())), expfmt.NewFormat(f))
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
			t.Errorf("NUL or bytes that are not UTF-8:\n%q", text)
		}
		for line := range bytes.Lines(text) {
			if !bytes.HasPrefix(line, []byte("# ")) && !bytes.HasPrefix(line, []byte("landlock")) {
				t.Errorf("a line of the label value's making: %q", line)
			}
		}
	}
}

// A program that ends after one scan has no counter.
func TestOnceHasNoCounter(t *testing.T) {
	d := daemonOf(mixed())
	d.Daemon.Scans.Errors, d.Daemon.Disagreements = nil, nil
	if text := render(t, gather(all(d)), expfmt.NewFormat(expfmt.TypeTextPlain)); bytes.Contains(text, []byte("counter")) {
		t.Errorf("a counter:\n%s", text)
	}
}
