// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

// hangs is how long a step may take: they take well below a second.
const hangs = time.Minute

// tab is a page of a browser, which fails its test if the page asks anybody but its origin for
// anything, or complains.
type tab struct {
	*testing.T
	ctx context.Context
	// ends: from now on its server may not answer.
	ends atomic.Bool

	mu       sync.Mutex
	requests []string
}

// asked is how often the page asked for something whose address ends so.
func (t *tab) asked(end string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		if strings.HasSuffix(r, end) {
			n++
		}
	}
	return n
}

var browser struct {
	sync.Once
	ctx context.Context
	end func()
}

// TestMain ends the browser that all tests share.
func TestMain(m *testing.M) {
	if name := os.Getenv(victimEnv); name != "" {
		fmt.Fprintln(os.Stderr, beVictim(name))
		os.Exit(1)
	}
	code := m.Run()
	if browser.end != nil {
		browser.end()
	}
	os.Exit(code)
}

// newTab opens an origin: all that is loaded has to be from there.
func newTab(t *testing.T, origin string) *tab {
	t.Helper()
	program := testenv.NeedTool(t, "chromium-headless-shell")
	browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(program), chromedp.NoSandbox, // it is root's
			chromedp.Flag("disable-gpu", true))
		allocated, endAll := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, end := chromedp.NewContext(allocated)
		browser.ctx, browser.end = ctx, func() { end(); endAll() }
		if err := chromedp.Do(ctx); err != nil {
			t.Fatalf("start the browser: %v", err)
		}
	})
	ctx, end := chromedp.NewContext(browser.ctx)
	t.Cleanup(end)
	tab := &tab{T: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			tab.mu.Lock()
			tab.requests = append(tab.requests, e.Request.URL)
			tab.mu.Unlock()
			if u := e.Request.URL; !strings.HasPrefix(u, origin+"/") && !strings.HasPrefix(u, "data:") {
				t.Errorf("the page asks for %s", u)
			}
		case *network.EventLoadingFailed:
			if !tab.ends.Load() {
				t.Errorf("something does not load: %s", e.ErrorText)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("an exception: %+v", e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("the console: %+v", e)
		case *log.EventEntryAdded:
			if !tab.ends.Load() {
				t.Errorf("the console: %s: %s", e.Entry.Level, e.Entry.Text)
			}
		case *page.EventJavascriptDialogOpening:
			t.Errorf("a dialogue: %s", e.Message)
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return tab
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

// open opens an address, in a window of a width, light or dark.
func (t *tab) open(address, scheme string, width int64) {
	t.Helper()
	t.look(scheme, width)
	run(t, chromedp.Navigate(address))
	run(t, chromedp.WaitReady("main"))
}

// look has a window of a width, light or dark.
func (t *tab) look(scheme string, width int64) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if _, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	run(t, chromedp.EmulateViewport(width, 800))
}

// value is what an expression comes to.
func value[T any](t *tab, expression string) T {
	t.Helper()
	return run(t, chromedp.Evaluate[T](expression))
}

// keep takes a picture of the whole page, and keeps it in the cache.
func (t *tab) keep(name string) {
	t.Helper()
	const lossless = 100
	png := run(t, chromedp.FullScreenshot(lossless))
	if len(png) < 10_000 {
		t.Errorf("%s is a picture of nothing: %d bytes", name, len(png))
	}
	dir, err := vm.Cache("screenshots")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
