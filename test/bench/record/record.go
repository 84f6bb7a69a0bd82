// SPDX-License-Identifier: Apache-2.0

// Package record keeps what make bench measured, a file for each part, as the docs have it.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Part is what one benchmark measured, in one run.
type Part struct {
	// Title is its heading in docs/performance.md, Method a sentence or two below it.
	Title   string   `json:"title"`
	Method  string   `json:"method,omitempty"`
	Machine Machine  `json:"machine"`
	Budgets []Budget `json:"budgets,omitempty"`
	Picture *Picture `json:"picture,omitempty"`
	Figures []Figure `json:"figures,omitempty"`
}

// Machine is where and when that was.
type Machine struct {
	Date     string `json:"date"` // as 2026-01-31
	Kernel   string `json:"kernel"`
	CPU      string `json:"cpu"`
	CPUs     int    `json:"cpus"`
	MemoryGB int    `json:"memory_gb"`
	Go       string `json:"go"`
	// Load is how many processes ran or waited to at the part's end, in the minute before it.
	Load float64 `json:"load"`
}

// Figure is one quantity of one subject. Subject, Population and Quantity together name it.
type Figure struct {
	Subject    string `json:"subject"`
	Population string `json:"population,omitempty"` // what ran beside it
	Tasks      int    `json:"tasks,omitempty"`      // of the population
	Quantity   string `json:"quantity"`
	Unit       string `json:"unit"`
	Spread
}

// Spread is what came of several samples: their median, and between which values the
// middle half of them lies.
type Spread struct {
	Median  float64 `json:"median"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Samples int     `json:"samples"`
}

// Spreads returns that of samples, of which there must be one.
func Spreads(samples []float64) Spread {
	s := slices.Sorted(slices.Values(samples))
	at := func(part float64) float64 { return s[int(part*float64(len(s)-1)+0.5)] }
	median := s[len(s)/2]
	if len(s)%2 == 0 {
		median = (median + s[len(s)/2-1]) / 2
	}
	return Spread{Median: median, Low: min(at(0.25), median), High: max(at(0.75), median), Samples: len(s)}
}

// Budget is what a value may be, and what it was.
type Budget struct {
	What     string  `json:"what"`
	Unit     string  `json:"unit"`
	Measured float64 `json:"measured"`
	// Bound is the most that it may be, or with Least the least.
	Bound float64 `json:"bound"`
	Least bool    `json:"least,omitempty"`
}

// Holds reports whether it was kept.
func (b Budget) Holds() bool {
	if b.Least {
		return b.Measured >= b.Bound
	}
	return b.Measured <= b.Bound
}

// Picture is drawn by the module chart, which reads it as it is.
type Picture struct {
	Title string `json:"title"`
	X     string `json:"x"`
	Y     string `json:"y"`
	// Log: both axes are logarithmic.
	Log    bool    `json:"log,omitempty"`
	Curves []Curve `json:"curves"`
}

// Curve is one line of a picture.
type Curve struct {
	Name   string       `json:"name"`
	Points [][2]float64 `json:"points"` // ascending in the first
}

// Find returns the figure of a name, or an error that says which is missing.
func (p *Part) Find(subject, population, quantity string) (Figure, error) {
	for _, f := range p.Figures {
		if f.Subject == subject && f.Population == population && f.Quantity == quantity {
			return f, nil
		}
	}
	return Figure{}, fmt.Errorf("%s of %s beside %s was not measured", quantity, subject, population)
}

// Write writes a part to a directory.
func (p *Part) Write(dir, name string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("record of %s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), b.Bytes(), 0o644)
}

// Read reads a part. The error is [os.ErrNotExist] if there is none.
func Read(dir, name string) (*Part, error) {
	b, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return nil, err
	}
	p := new(Part)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("record of %s: %w", name, err)
	}
	return p, nil
}
