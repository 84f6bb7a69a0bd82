// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/ui"
	"github.com/landlockd/landlockd/scan"
)

// rows is how many rows of processes are elements, and lines how many there are.
const (
	rows  = `document.querySelectorAll("#rows .row").length`
	lines = `document.getElementById("rows").offsetHeight / 28`
)

// until waits until an expression is true.
func (t *tab) until(expression string) {
	t.Helper()
	run(t, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(hangs)))
}

// search types into the search field, and shows all that matches.
func (t *tab) search(words string) {
	t.Helper()
	value[bool](t, `document.getElementById("search").select() || true`)
	run(t, chromedp.SendKeys("#search", kb.Delete))
	if words != "" {
		run(t, chromedp.SendKeys("#search", words))
	}
}

// 10 and 10 000 processes are searched and shown with as few elements.
func TestManyProcesses(t *testing.T) {
	for _, processes := range []int{10, 10_000} {
		snap := crowd(processes)
		registry := prometheus.NewRegistry()
		registry.MustRegister(&collector.Scrape{
			Snapshot: snap, Workloads: &collector.WorkloadOptions{Limit: 100}, Daemon: &collector.Daemon{},
		})
		server := httptest.NewUnstartedServer(nil)
		address := server.Listener.Addr().String()
		handler, open := ui.New(ui.Options{
			Address: address, Interval: 200 * time.Millisecond,
			Look: func() (*ui.Sight, error) {
				return &ui.Sight{Snapshot: snap, Metrics: registry, From: "By the test"}, nil
			},
			Explain: func(_ *ui.Sight, p *scan.Process) (string, error) {
				return fmt.Sprintf("Process %d, <b>bold</b>", p.PID), nil
			},
		})
		server.Config.Handler = handler
		server.Start()
		t.Cleanup(server.Close)
		tab := newTab(t, "http://"+address)
		tab.open(open, "light", 1100)
		tab.until(rows + ` > 0`)
		run(tab, chromedp.Click("#all"))
		tab.until(fmt.Sprintf(`%s === %d`, lines, processes))
		if n := value[int](tab, rows); n > 100 {
			t.Errorf("%d processes: %d rows are elements", processes, n)
		}
		last := 99 + processes
		run(tab, chromedp.Focus("#tree"))
		run(tab, chromedp.KeyEvent(kb.End))
		tab.until(fmt.Sprintf(`document.querySelector(".row.active .pid").textContent === "%d"`, last))
		run(tab, chromedp.KeyEvent(kb.Enter))
		tab.until(fmt.Sprintf(
			`document.getElementById("explanation").textContent === "Process %d, <b>bold</b>"`, last))
		tab.search(fmt.Sprint(last))
		tab.until(lines + ` === 1`)
		took := value[float64](tab, `(() => {
			const field = document.getElementById("search"), begin = performance.now();
			field.value = "alert";
			field.dispatchEvent(new Event("input"));
			return performance.now() - begin;
		})()`)
		t.Logf("%d processes: searched in %.1f ms", processes, took)
		tab.search("no such process")
		tab.until(lines + ` === 0`)
		if n := value[int](tab, `document.querySelectorAll("#rows script, #rest script, b [onload]").length`); n > 0 {
			t.Errorf("%d processes: names became %d elements", processes, n)
		}
	}
}

// enter lets a client in, and returns what gets a page.
func (u *served) enter(t *testing.T) (base string, get func(path string) string) {
	t.Helper()
	base, _, _ = strings.Cut(u.address, "/?")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	in, err := client.Get(u.address)
	if err != nil {
		t.Fatal(err)
	}
	in.Body.Close()
	_, key, _ := strings.Cut(in.Header.Get("Location"), "#")
	return base, func(path string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Landlockd-Key", key)
		for _, c := range in.Cookies() {
			req.AddCookie(c)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v: %s", path, resp.Status, err, body)
		}
		return string(body)
	}
}

// A user without privilege gets his own processes, and no others.
func (d *daemon) checkUser(t *testing.T) {
	t.Helper()
	const uid = 54321
	his := start(t, as(uid, exec.Command("sleep", "1h"))).Process.Pid
	u := d.startUI(t, uid, "--api.socket="+d.socket)
	_, get := u.enter(t)
	var got struct {
		Processes []struct{ PID int }
	}
	if err := json.Unmarshal([]byte(get("/processes")), &got); err != nil {
		t.Fatal(err)
	}
	pids := map[int]bool{}
	for _, p := range got.Processes {
		pids[p.PID] = true
	}
	if len(pids) != 2 || !pids[his] || !pids[u.Process.Pid] {
		t.Errorf("user %d sees %v, want %d and %d", uid, pids, his, u.Process.Pid)
	}
}

// Where no daemon answers root gets what a scan finds, and one costs no more than another.
func (d *daemon) checkAlone(t *testing.T) {
	t.Helper()
	u := d.startUI(t, 0, "--api.socket="+d.socket+".none")
	_, get := u.enter(t)
	open := func() int {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", u.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	first := 0
	for look := range 5 {
		text := get("/processes")
		if !strings.Contains(text, fmt.Sprintf(`"pid":%d,`, os.Getpid())) ||
			!strings.Contains(text, "own scan") {
			t.Errorf("it does not have this process, by a scan of its own: %.400s", text)
		}
		if look == 0 {
			first = open()
		}
		time.Sleep(interval)
	}
	if last := open(); last > first+2 { // the client's connections
		t.Errorf("%d files are open after one look, and %d after five", first, last)
	}
}

// A real host: a process is found, chosen, and seen as it sandboxes itself.
func TestUI(t *testing.T) {
	d := startDaemon(t)
	u := d.startUI(t, 0, "--api.socket="+d.socket)
	victim := startVictim(t)
	served := newTab(t, "http://"+d.address)
	served.open("http://"+d.address+"/", "light", 1100)
	served.readable("the daemon's own page")
	if text := value[string](served, `document.body.innerText`); !strings.Contains(text, "Confined by") ||
		strings.Contains(text, "could not be scanned") {
		t.Errorf("the daemon's own page: %s", text)
	}
	d.checkUser(t)
	d.checkAlone(t)
	base, _, _ := strings.Cut(u.address, "/?")
	tab := newTab(t, base)
	tab.open(u.address, "light", 1100)
	tab.until(`document.querySelector("#cards .bar") !== null`)
	for _, target := range []string{u.address, base + "/?token=wrong", base + "/processes"} {
		resp, err := http.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}

	tab.search(fmt.Sprint(victim.pid))
	state := func(of string) string {
		return fmt.Sprintf(`(document.querySelector('#rows [data-key^="%d-"] .state') || {}).textContent === %q`,
			victim.pid, of)
	}
	tab.until(state("unsandboxed"))
	key := fmt.Sprintf(`#rows [data-key^="%d-"] .name`, victim.pid)
	run(tab, chromedp.Click(key))
	explained := func(words string) string {
		return fmt.Sprintf(`document.getElementById("explanation").textContent.includes(%q)`, words)
	}
	tab.until(explained("is unsandboxed"))
	victim.enter(t)
	before := tab.asked("/processes")
	tab.until(state("sandboxed"))
	if n := tab.asked("/processes") - before; n > 2 {
		t.Errorf("the change was seen after %d refreshes", n)
	}
	tab.until(explained("is sandboxed at depth 1"))
	if text := value[string](tab, `document.getElementById("rows").innerText`); !strings.Contains(text,
		`\u202e<img src=x o`) {
		t.Errorf("its name is not there: %s", text)
	}

	// Closed, and opened again, by keys: what is above it is a row as long as that is.
	run(tab, chromedp.Focus("#tree"))
	run(tab, chromedp.KeyEvent(kb.Home))
	n := value[int](tab, lines)
	run(tab, chromedp.KeyEvent(kb.ArrowLeft))
	tab.until(lines + ` === 1`)
	run(tab, chromedp.KeyEvent(kb.ArrowRight))
	tab.until(fmt.Sprintf(`%s === %d`, lines, n))

	tab.search("")
	for _, scheme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1100, "narrow": 360} {
			tab.look(scheme, width)
			tab.readable(fmt.Sprintf("%s, %s", scheme, name))
			tab.keep("ui-" + scheme + "-" + name)
		}
	}
	tab.ends.Store(true)
	u.end(t)
	tab.until(`!document.getElementById("trouble").hidden`)
	if _, err := http.Get(base); err == nil {
		t.Error("it answers when its command has ended")
	}
}
