// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// What is gathered is, in each format that is the same each time, and byte for byte, what a
// registry makes of the same scrape, in memory that was used for others.
func TestGatherAsARegistry(t *testing.T) {
	var memory Memory
	compare := func(name string, s Scrape) {
		t.Helper()
		registry := prometheus.NewRegistry()
		registry.MustRegister(&s)
		got, err := s.GatherIn(&memory)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []expfmt.FormatType{
			expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim,
		} {
			format := expfmt.NewFormat(f)
			want := render(t, registry, format)
			if got := encode(t, got, format); !bytes.Equal(got, want) {
				t.Fatalf("%s, %s: got\n%s\nwant\n%s", name, format, got, want)
			}
		}
	}
	for _, f := range fixtures() {
		compare(f.name, all(f.scrape))
	}
	compare("hostile", all(hostile()))
	compare("fullest", all(fullest()))
	rules, denials, runs := violatedRules(), someDenials(), someRuns()
	compare("others", Scrape{Rules: &rules, Denials: &denials, Runs: &runs})
	rnd := rand.New(rand.NewPCG(3, 4))
	for seed := range uint64(60) {
		s := daemonOf(hosts.Random(seed))
		s.Config = &Config{Loaded: 3, Hash: rnd.Uint64(), Since: time.Unix(int64(seed), 5)}
		if seed%3 > 0 {
			s.Rules, s.Denials, s.Runs = &rules, &denials, &runs
		}
		compare("random", all(s))
	}
}

// A view that panics takes no other with it.
func TestGatherSurvivesAPanic(t *testing.T) {
	broken := &scan.Snapshot{Processes: []scan.Process{{State: scan.Sandboxed, NumTasks: 1}}}
	got, err := (&Scrape{Snapshot: broken, Hardening: true, Config: &Config{}}).Gather()
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("error %v", err)
	}
	text := string(encode(t, got, expfmt.NewFormat(expfmt.TypeTextPlain)))
	if !strings.Contains(text, "landlockd_config_hash 0") {
		t.Error(text)
	}
}

func BenchmarkGather(b *testing.B) {
	var m Memory
	s := all(daemonOf(hosts.Random(1)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.GatherIn(&m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGatherByRegistry is what the same costs by a registry of each scrape.
func BenchmarkGatherByRegistry(b *testing.B) {
	s := all(daemonOf(hosts.Random(1)))
	b.ReportAllocs()
	for b.Loop() {
		registry := prometheus.NewRegistry()
		registry.MustRegister(&s)
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
