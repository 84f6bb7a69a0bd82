// SPDX-License-Identifier: Apache-2.0

// Package exposition reads and compares pages of metrics.
package exposition

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Samples are values by name and labels as a page has them: name{a="b",c="d"}.
type Samples map[string]float64

// Parse reads a page in Prometheus' text format, and fails if it is not well formed.
func Parse(text string) (Samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		return nil, fmt.Errorf("not Prometheus' text format: %w", err)
	}
	s := Samples{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if line == "" || line[0] == '#' || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		s[line[:at]] = v
	}
	return s, nil
}

// With returns the samples whose names begin with a prefix.
func (s Samples) With(prefix string) Samples {
	part := maps.Clone(s)
	maps.DeleteFunc(part, func(name string, _ float64) bool { return !strings.HasPrefix(name, prefix) })
	return part
}

// Diff says which samples are not as wanted, a line each; nothing if all are.
func (s Samples) Diff(want Samples) string {
	var b strings.Builder
	all := maps.Clone(s)
	maps.Copy(all, want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		got, there := s[name]
		wanted, expected := want[name]
		switch {
		case !there:
			fmt.Fprintf(&b, "%s is not there, want %v\n", name, wanted)
		case !expected:
			fmt.Fprintf(&b, "%s is %v, want it absent\n", name, got)
		case got != wanted:
			fmt.Fprintf(&b, "%s is %v, want %v\n", name, got, wanted)
		}
	}
	return b.String()
}

func (s Samples) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s %v\n", name, s[name])
	}
	return b.String()
}
