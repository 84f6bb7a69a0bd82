// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"context"
	"flag"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

var update = flag.Bool("update", false, "write the pictures of the docs")

// width of a page, in which all panels are to be seen at once: Perses draws no others.
const width, tall = 1400, 9000

// tab is a page of a browser, which fails its test if the page throws an exception.
type tab struct {
	*testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testenv.NeedTool(t, "chromium-headless-shell")), chromedp.NoSandbox, // it is root's
		chromedp.Flag("disable-gpu", true))
	allocated, endAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(func() { end(); endAll() })
	err := chromedp.Do(ctx)
	if err == nil {
		err = chromedp.Listen(ctx, func(event any) {
			if e, ok := event.(*runtime.EventExceptionThrown); ok {
				t.Errorf("an exception: %+v", e.ExceptionDetails)
			}
		})
	}
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &tab{t, ctx}
}

// run takes a step, which may not hang.
func run[T any](t *tab, step chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, hangs)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// drawn is what can be seen of a panel.
type drawn struct {
	Title, Text string
	// Colour is how many points of its picture are not as grey as axes and their words are: of
	// those, red, green and blue differ by 48 at most, and of curves by 56 at least, whatever
	// their colour.
	Colour int
	// Rows are those of a table.
	Rows int
	// Waits: data is asked for. Fails: there is an error instead.
	Waits, Fails bool
}

const look = `[...document.querySelectorAll('[data-testid="panel"]')].map((panel) => {
	let Colour = 0;
	for (const canvas of panel.querySelectorAll("canvas")) {
		if (!canvas.width || !canvas.height) continue;
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		for (let i = 0; i < data.length; i += 4) {
			if (data[i + 3] < 32) continue;
			const r = data[i], g = data[i + 1], b = data[i + 2];
			if (Math.max(r, g, b) - Math.min(r, g, b) > 52) Colour++;
		}
	}
	return {
		Title: panel.querySelector("h6").textContent, Text: panel.innerText, Colour,
		Rows: panel.querySelectorAll("tbody tr").length,
		Waits: panel.querySelector(".MuiSkeleton-root, .MuiCircularProgress-root") !== null,
		Fails: panel.querySelector('[role="alert"]') !== null,
	};
})`

// waits is why a panel shows no data yet.
const waits = "it waits for data"

// wrong says why a panel of a type shows no data, if that is so.
func (d *drawn) wrong(kind string) string {
	switch {
	case d.Waits:
		return waits
	case d.Fails, strings.Contains(d.Text, "No data"), strings.Contains(d.Text, "No records"):
		return fmt.Sprintf("it says %q", d.Text)
	case kind == "table" && d.Rows == 0:
		return "it has no row"
	case kind == "stat" && strings.TrimSpace(strings.TrimPrefix(d.Text, d.Title)) == "":
		return "it has no number"
	case kind != "table" && kind != "stat" && d.Colour < 20:
		return fmt.Sprintf("it has no curve and no bar: %d points are not grey", d.Colour)
	}
	return ""
}

// open opens a dashboard.
func (t *tab) open(address string) {
	t.Helper()
	run(t, chromedp.EmulateViewport(width, tall))
	run(t, chromedp.Navigate(address))
}

// wrong says of each panel of a dashboard that shows no data why, by its title.
func (t *tab) wrong(d *dashboard) map[string]string {
	t.Helper()
	seen := map[string]*drawn{}
	for _, s := range run(t, chromedp.Evaluate[[]*drawn](look)) {
		seen[s.Title] = s
	}
	all := map[string]string{}
	for _, p := range d.Panels {
		if p.Type == "row" {
			continue
		}
		if s := seen[p.Title]; s == nil {
			all[p.Title] = waits
		} else if why := s.wrong(p.Type); why != "" {
			all[p.Title] = why
		}
	}
	return all
}

// draw opens a dashboard, and waits until each panel shows data.
func (t *tab) draw(address string, d *dashboard) {
	t.Helper()
	t.open(address)
	began, answered := time.Now(), time.Time{}
	for ; ; time.Sleep(time.Second) {
		wrong := t.wrong(d)
		if len(wrong) == 0 {
			t.Logf("%s, after %s", d.UID, time.Since(began).Round(time.Second))
			return
		}
		if time.Since(began) > hangs {
			t.Errorf("%s: %q", d.UID, wrong)
			return
		}
		switch {
		case waiting(wrong):
			answered = time.Time{}
		case answered.IsZero():
			answered = time.Now()
		case time.Since(answered) > again:
			t.open(address)
			answered = time.Time{}
		}
	}
}

// waiting reports whether data is still asked for.
func waiting(wrong map[string]string) bool {
	return slices.Contains(slices.Collect(maps.Values(wrong)), waits)
}

// drawsNone opens a dashboard without data, and waits until each panel is seen to show none.
func (t *tab) drawsNone(address string, d *dashboard) {
	t.Helper()
	t.open(address)
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		wrong := t.wrong(d)
		if len(wrong) == len(d.Panels) && !waiting(wrong) {
			t.Logf("%s: %q", d.UID, wrong)
			return
		}
		if time.Since(began) > hangs {
			t.Errorf("%s has no data, and of its %d panels is seen: %q", d.UID, len(d.Panels), wrong)
			return
		}
	}
}

// ofDocs are the pictures in the docs: of a dashboard, from its first row of panels to that of a
// panel.
var ofDocs = map[string]string{"fleet": "Since when", "rule": "Violations"}

// ends are where the first row of panels begins, with its title, and where a panel ends.
const ends = `((title) => {
	const panels = [...document.querySelectorAll('[data-testid="panel"]')].map((p) => ({
		title: p.querySelector("h6").textContent, box: p.getBoundingClientRect(),
	}));
	return [
		Math.floor(Math.min(...panels.map((p) => p.box.top))) - 58,
		Math.ceil(Math.max(...panels.filter((p) => !title || p.title === title).map((p) => p.box.bottom))) + 8,
	];
})`

// keep takes a picture of the page, and keeps it in the cache.
func (t *tab) keep(name string) {
	t.Helper()
	whole := run(t, chromedp.Evaluate[[2]int64](ends+`("")`))
	run(t, chromedp.EmulateViewport(width, whole[1]))
	const lossless = 100
	picture := run(t, chromedp.FullScreenshot(lossless))
	dir, err := vm.Cache("screenshots")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "dashboard-"+name+".png"), picture, 0o644)
	}
	if last, ok := ofDocs[name]; ok && *update && err == nil {
		part := run(t, chromedp.Evaluate[[2]int](fmt.Sprintf("%s(%q)", ends, last)))
		err = crop(picture, image.Rect(0, part[0], width, part[1]), "../../docs/dashboard-"+name+".png")
	}
	if err != nil {
		t.Fatal(err)
	}
}
