// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/fleet"
	"github.com/landlockd/landlockd/test/hosts"
)

// The page of a simulated host, in every form in which people look at it.
func TestPage(t *testing.T) {
	h := fleet.Generate(fleet.Options{Seed: 1, Hosts: 16, Units: 40})[0]
	s, err := fleet.NewServer([]*fleet.Host{h}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	address := server.URL + strings.TrimSuffix(h.Path(), "metrics")
	tab := newTab(t, server.URL)
	for _, scheme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1100, "narrow": 360} {
			tab.open(address, scheme, width)
			tab.readable(fmt.Sprintf("%s, %s", scheme, name))
			tab.keep("page-" + scheme + "-" + name)
		}
	}
}

// source is a host that stands still.
type source struct{ snap *scan.Snapshot }

func (s source) Scan(context.Context) (*scan.Snapshot, error) { return s.snap, nil }
func (s source) Close() error                                 { return nil }

// crowd is a host with so many processes, in 101 services that are called what their users like.
func crowd(processes int) *scan.Snapshot {
	h := hosts.New()
	domain := h.Domain(0x1234, domainid.Outermost)
	for i := range processes {
		task := hosts.Free()
		if i%3 == 0 {
			task = hosts.In(domain)
		}
		h.Process(int32(100+i), 1, "sh", task).Workload = int32(i % 101)
	}
	for i := range 101 {
		name := fmt.Sprintf("%d ", i) +
			"</td><script>alert(1)</script>\x1b[2J\n\u202e\u05d0\" onload=alert(2) x="
		h.Workloads = append(h.Workloads, scan.Workload{Name: name, FullName: name, Cgroup: "/" + name})
	}
	h.Conclude()
	return &h.Snapshot
}

// The same page of 10 and of 10 000 processes, whose services have names that are meant to act.
func TestCrowd(t *testing.T) {
	for _, processes := range []int{10, 10_000} {
		shared := scan.NewShared(source{crowd(processes)}, scan.SharedOptions{})
		t.Cleanup(func() { _ = shared.Close() })
		handler, err := web.New(web.Options{
			Scans: shared, Collector: func(snap *scan.Snapshot) *collector.Scrape {
				return &collector.Scrape{
					Snapshot: snap, Workloads: &collector.WorkloadOptions{Limit: 100},
					Daemon: &collector.Daemon{Scans: shared.Stats()},
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		tab := newTab(t, server.URL)
		tab.open(server.URL+"/", "light", 360)
		tab.readable(fmt.Sprint(processes, " processes"))
		services := min(processes, 101)
		if n := value[int](tab, `document.querySelectorAll(".services tbody tr").length`); n != services {
			t.Errorf("%d processes: %d rows, want %d", processes, n, services)
		}
		if n := value[int](tab, `document.querySelectorAll("script, [onload]").length`); n > 0 {
			t.Errorf("%d processes: names became %d elements", processes, n)
		}
		if text := value[string](tab, `document.body.innerText`); !strings.Contains(text,
			`</td><script>alert(1)</script>\x1b[2J\x0a\u202e\u05d0\"`) {
			t.Errorf("%d processes: the names are not there:\n%s", processes, text)
		}
	}
}

// readable fails unless nothing is wider than the window, and all text stands out from what is
// behind it as WCAG 2.2 asks for (AA: 4.5 to 1, and 3 to 1 for pictures).
func (t *tab) readable(name string) {
	t.Helper()
	if wide := value[int](t, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		t.Errorf("%s: the page is %d pixels wider than the window", name, wide)
	}
	for _, poor := range value[[]string](t, contrast) {
		t.Errorf("%s: %s", name, poor)
	}
}

const contrast = `(() => {
	const light = (color) => {
		const [r, g, b] = color.match(/[\d.]+/g).map((c) => {
			c /= 255;
			return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const back = getComputedStyle(e).backgroundColor;
			if (!back.endsWith(", 0)")) return back;
		}
		return "rgb(255, 255, 255)";
	};
	const poor = new Set();
	for (const e of document.querySelectorAll("body *")) {
		const picture = e.tagName === "rect";
		const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!picture && !text || e.tagName === "title") continue;
		const style = getComputedStyle(e);
		const a = light(picture ? style.fill : style.color), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < (picture ? 3 : 4.5)) {
			poor.add(e.tagName + " " + e.getAttribute("class") + " stands out by " + ratio.toFixed(2));
		}
	}
	return [...poor];
})()`
