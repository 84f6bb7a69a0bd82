// SPDX-License-Identifier: Apache-2.0

package top

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

func sight(s *scan.Snapshot) *Sight {
	const start = 7e9
	if p := s.Find(500); p != nil {
		p.Start = start
	}
	return &Sight{Snapshot: s, From: "By the daemon at /run/s", Denials: &explain.Denials{Last: []denials.Denial{
		{Time: time.Unix(2000, 0), Count: 3, PID: 500, Start: start, Comm: "x\x1b[2J", Blockers: []string{"fs.read_file"},
			Object: denials.File, Path: "/etc/\u202eshadow", Domain: 7},
		{Time: time.Unix(1000, 0), Count: 1, PID: 1 << 30, Comm: "gone", Blockers: []string{"net.connect_tcp"},
			Object: denials.Port, Port: 443},
	}}}
}

// key is a key by its letter, or by one of some names.
func key(name string) *tcell.EventKey {
	named := map[string]tcell.Key{"Enter": tcell.KeyEnter, "Esc": tcell.KeyEscape, "Tab": tcell.KeyTab,
		"Up": tcell.KeyUp, "Down": tcell.KeyDown, "PgUp": tcell.KeyPgUp, "PgDn": tcell.KeyPgDn,
		"Home": tcell.KeyHome, "End": tcell.KeyEnd, "Back": tcell.KeyBackspace}
	if k, ok := named[name]; ok {
		return tcell.NewEventKey(k, "", tcell.ModNone)
	}
	return tcell.NewEventKey(tcell.KeyRune, name, tcell.ModNone)
}

// press presses keys and returns the screen.
func (m *model) press(t *testing.T, keys ...string) string {
	t.Helper()
	for _, k := range keys {
		m.key(key(k))
	}
	lines, chosen := m.lines()
	if len(lines) > max(m.rows, 2) || chosen >= max(len(lines), 2) {
		t.Fatalf("%d lines, line %d chosen, of %d rows", len(lines), chosen, m.rows)
	}
	text := strings.Join(lines, "\n") + "\n"
	hosts.CheckSafe(t, regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(text, ""))
	return text
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("there is no %q in\n%s", part, text)
		}
	}
}

func TestKeys(t *testing.T) {
	host := hosts.Mixed()
	m := newModel(Options{First: sight(&host.Snapshot), Host: "h\x1b[2J", Interval: time.Second})
	text := m.press(t)
	wants(t, text, `"h\x1b[2J"`, "[1 services]", "WORKLOAD ", "shop/web", "1/6  By the daemon", "by state",
		`Denials    2, the last at`, `"x\x1b[2J" (500) fs.read_file "/etc`)
	for line := range strings.Lines(text) {
		if n := untrusted.Columns(strings.TrimRight(line, "\n▁▂▃▄▅▆▇█")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	wants(t, m.press(t, "s"), "by workload", "container:a")
	wants(t, m.press(t, "/", "W", "e", "b", "x", "Back"), "Filter: Web_", "shop/web")
	text = m.press(t, "Enter")
	if wants(t, text, "with Web", "1/1  "); strings.Contains(text, "container:a") {
		t.Error(text)
	}
	text = m.press(t, "Enter")
	wants(t, text, "[2 processes]", "of shop/web", "by pid")
	if n := len(m.list.keys); n == 0 || n == len(host.Processes) {
		t.Errorf("%d processes of one workload", n)
	}
	first := m.list.keys[0]
	wants(t, m.press(t, "Enter"), "explain "+first, "Looking ...", "Esc back")
	if w := m.wanted; w == nil || w.sight != m.sight || w.number != 1 {
		t.Fatalf("%+v", w)
	}
	m.explained(answer{number: 7, outcome: outcome[Page]{value: func(int) string { return "of another" }}})
	m.explained(answer{number: 1, outcome: outcome[Page]{value: func(int) string { return "of it\n" }}})
	wants(t, m.press(t), "of it")
	m.press(t, "Esc")
	m.explained(answer{number: 1})
	wants(t, m.press(t), "of shop/web")
	if m.press(t, "Esc"); len(m.list.keys) != len(host.Processes) {
		t.Errorf("%d processes of all", len(m.list.keys))
	}
	wants(t, m.press(t, "/", "u", "n", "s", "a", "n", "d", "Enter"), "systemd", "two-users", "/2  ")
	m.press(t, "Esc")
	if m.press(t, "/", "s", "a", "n", "d", "b", "o", "x", "e", "d", "Enter"); len(m.list.keys) != 15 {
		t.Errorf("%d processes are sandboxed", len(m.list.keys))
	}
	m.press(t, "Esc")
	wants(t, m.press(t, "End"), "504")
	wants(t, m.press(t, "3"), "NESTED IN", "300000002", "launch")
	wants(t, m.press(t, "Enter"), "of domain 1e67bda0b", "worker")
	wants(t, m.press(t, "4"), "fs.read_file", "port 443", `"x\x1b[2J"`)
	wants(t, m.press(t, "Down", "Enter"), "1073741824 has ended")
	if m.press(t, "Up", "Enter"); m.wanted == nil || m.wanted.process.PID != 500 {
		t.Error("who was denied is not explained")
	}
	wants(t, m.press(t, "?"), "Ctrl-C")
	for line := range strings.Lines(help) {
		if len(line) > 80 {
			t.Errorf("%d columns of help: %s", len(line), line)
		}
	}
	wants(t, m.press(t, "p"), "PAUSED")
	host.Part = true
	wants(t, m.press(t), "  what you may see  PAUSED")
	if m.press(t, "q"); !m.quit {
		t.Error("q does not quit")
	}
}

// TestTheSameRow: the row that is chosen is the same after a look that found others.
func TestTheSameRow(t *testing.T) {
	host := func(pids ...int32) *Sight {
		h := hosts.New()
		for _, pid := range pids {
			h.Process(pid, 0, "x", hosts.Free())
		}
		return sight(&h.Snapshot)
	}
	m := newModel(Options{First: host(10, 20, 30)})
	m.press(t, "2", "Down")
	m.take(host(1, 2, 3, 20, 40), nil)
	if m.chosen != "20" || m.place != 3 {
		t.Errorf("%s at %d", m.chosen, m.place)
	}
	m.take(host(1), nil)
	if m.chosen != "1" || m.place != 0 {
		t.Errorf("%s at %d", m.chosen, m.place)
	}
	m.take(host(), nil)
	wants(t, m.press(t, "Enter", "Down"), "None")
}

// TestAnyKeys: whatever is seen, pressed and resized, lines fit and are safe.
func TestAnyKeys(t *testing.T) {
	keys := strings.Fields("1 2 3 4 Tab Up Down PgUp PgDn Home End k j g G Enter Enter / a \u202e Back Esc s p ?")
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		host := func() *Sight {
			if r.IntN(2) == 0 {
				return sight(hosts.Random(r.Uint64()))
			}
			return sight(&hosts.RandomNames(r, r.IntN(30)).Snapshot)
		}
		m := newModel(Options{First: host(), Style: table.Style{Color: true, ASCII: r.IntN(2) == 0}})
		for range 30 {
			m.rows, m.columns = r.IntN(60), r.IntN(200)
			m.press(t, keys[r.IntN(len(keys))])
			if r.IntN(5) == 0 {
				m.take(host(), nil)
			}
		}
	}
}

func TestHistory(t *testing.T) {
	h := history{}
	for _, c := range []float64{never, 0, 0.001, 0.5, 0.999, 1} {
		h.add(c)
	}
	if got := h.draw(80, false); got != " ▁▂▅▇█" {
		t.Errorf("%q", got)
	}
	if got := h.draw(3, true); got != "+%#" {
		t.Errorf("%q", got)
	}
	for range 2 * longest {
		h.add(1)
	}
	if len(h) != longest || h.draw(-1, true) != "" {
		t.Errorf("%d are remembered", len(h))
	}
	var n scan.ByState
	if coverage(n) != never {
		t.Error("nothing has a coverage")
	}
	n[scan.Sandboxed], n[scan.Unsandboxed], n[scan.Unknown] = 1, 3, 100
	if c := coverage(n); c != 0.25 {
		t.Error(c)
	}
}

func TestNameless(t *testing.T) {
	h := hosts.New()
	d := h.Domain(domainid.None, domainid.Outermost)
	h.Process(1, 0, "x", hosts.In(d))
	m := newModel(Options{First: sight(&h.Snapshot)})
	wants(t, m.press(t, "3", "Enter"), "no ID")
}
