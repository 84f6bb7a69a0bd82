// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// address is where landlockd serves.
const address = "127.0.0.1:10644"

// scanPause is longer than the age up to which landlockd serves an older scan.
const scanPause = 1050 * time.Millisecond

// page is a page of metrics: values by series, as it is written.
type page map[string]float64

// scrape gets the metrics, once, with a scan that begins after the call.
func (h *host) scrape(t *T) page {
	time.Sleep(time.Until(h.scraped.Add(scanPause)))
	p, err := get()
	t.Must(err)
	h.scraped = time.Now()
	if p["landlockd_scan_success"] != 1 {
		t.Fatalf("the scan failed: %v", p.with("landlockd_"))
	}
	return p
}

func get() (page, error) { return getPage("http://" + address + "/metrics") }

// getPage gets the metrics that an exporter serves.
func getPage(url string) (page, error) {
	client := http.Client{Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.300q", response.StatusCode, b)
	}
	return parsePage(b)
}

// parsePage reads metrics in the text format.
func parsePage(b []byte) (page, error) {
	p := make(page)
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if line == "" || line[0] == '#' || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		p[line[:at]] = v
	}
	return p, nil
}

// with returns the series whose names begin with a prefix.
func (p page) with(prefix string) page {
	part := make(page)
	for s, v := range p {
		if strings.HasPrefix(s, prefix) {
			part[s] = v
		}
	}
	return part
}

// diff says in which series a page is not as wanted, one on each line.
func (p page) diff(want page) string {
	var b strings.Builder
	all := maps.Clone(p)
	maps.Copy(all, want)
	for _, s := range slices.Sorted(maps.Keys(all)) {
		got, there := p[s]
		wanted, expected := want[s]
		switch {
		case !there:
			fmt.Fprintf(&b, "%s is not there, want %v\n", s, wanted)
		case !expected:
			fmt.Fprintf(&b, "%s is %v, want it absent\n", s, got)
		case got != wanted:
			fmt.Fprintf(&b, "%s is %v, want %v\n", s, got, wanted)
		}
	}
	return b.String()
}

func (p page) String() string {
	var b strings.Builder
	for _, s := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s %v\n", s, p[s])
	}
	return b.String()
}
