// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/landlockd/landlockd/test/exposition"
)

// address is where landlockd serves.
const address = "127.0.0.1:10644"

// scanPause is longer than the age up to which landlockd serves an older scan.
const scanPause = 1050 * time.Millisecond

// page is a page of metrics.
type page = exposition.Samples

// scrape gets the metrics, once, with a scan that begins after the call.
func (h *host) scrape(t *T) page {
	time.Sleep(time.Until(h.scraped.Add(scanPause)))
	p, err := get()
	t.Must(err)
	h.scraped = time.Now()
	if p["landlockd_scan_success"] != 1 {
		t.Fatalf("the scan failed: %v", p.With("landlockd_"))
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
	return exposition.Parse(string(b))
}
