// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/net/html"

	"github.com/landlockd/landlockd/test/hosts"
)

// render returns the page of metrics, parsed, and its text; it fails if any of it could act.
func render(t *testing.T, metrics string) (*html.Node, string) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	byName, err := parser.TextToMetricFamilies(strings.NewReader(metrics))
	if err != nil {
		t.Fatal(err)
	}
	var families []*dto.MetricFamily
	for _, f := range byName {
		families = append(families, f)
	}
	w := httptest.NewRecorder()
	New(Options{Links: []Link{{"./metrics", "Metrics", "for Prometheus"}}}).Handler(families).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	ids := map[string]bool{}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text.WriteString(n.Data + " ")
		}
		if n.Type == html.ElementNode && !slices.Contains(elements, n.Data) {
			t.Errorf("an element %s", n.Data)
		}
		for _, a := range n.Attr {
			if what := hosts.Unsafe(strings.ReplaceAll(a.Val, "\n", "")); what != "" {
				t.Errorf("%s of %s has %s", a.Key, n.Data, what)
			}
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("id %s is there twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "style":
				t.Errorf("%s has an attribute %s", n.Data, a.Key)
			case a.Key == "href" && n.Data == "a":
				if !strings.HasPrefix(a.Val, "./") && !strings.HasPrefix(a.Val, docs) {
					t.Errorf("a link to %s", a.Val)
				}
			}
		}
		if n.Data == "svg" && attribute(n, "role") == "" && attribute(n, "aria-hidden") == "" {
			t.Error("a picture that is nothing to whoever does not see it")
		}
		if of := attribute(n, "aria-labelledby"); of != "" && !strings.Contains(w.Body.String(), of) {
			defer func() {
				if !ids[of] {
					t.Errorf("no element has the id %s", of)
				}
			}()
		}
	}
	shown := strings.Join(strings.Fields(text.String()), " ")
	if what := hosts.Unsafe(shown); what != "" {
		t.Errorf("the text has %s:\n%s", what, shown)
	}
	return root, shown
}

// elements are all that pages are made of: none loads anything.
var elements = strings.Fields("html head meta link title style body header h1 h2 p main " +
	"div section b svg rect ul li span table thead tbody tr th td small bdi details summary dl dt dd " +
	"footer nav a code pre")

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// Every page that collector's tests keep is shown, with what metrics say in it.
func TestPages(t *testing.T) {
	want := map[string][]string{
		"mixed": {
			"50 % of the services whose state is known", "62 % of the processes whose state is known",
			"5 sandboxed", "1 process in a sandbox that restricts nothing",
			"1 process with a worker that may act outside", "2 processes unknown: denied",
			"all 5 others, added up", "The deepest thread is at 3 of at most 16",
			"Landlock ABI 6", "Last scan took 12.3 ms, 217 threads read",
			"Confined by landlock Not confined by seccomp",
		},
		"assets":        {"secrets", "1 out of reach, 1 within reach, 3 unknown 1 of all others"},
		"disabled":      {"Landlock is off on this host", "0 % of the processes"},
		"never_scanned": {"could not be scanned", "procattr: no_attribute", "taskiter: no_btf"},
		"failed":        {"could not be scanned", "3 scans failed so far: timeout"},
		"empty":         {"? of the processes", "There are none. Rules state"},
		"nested_pidns":  {"only processes of a PID namespace"},
	}
	files, err := filepath.Glob("../../collector/testdata/*.prom")
	if err != nil || len(files) < len(want) {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".prom")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, shown := render(t, string(text))
			for _, words := range want[name] {
				if !strings.Contains(shown, words) {
					t.Errorf("no %q in:\n%s", words, shown)
				}
			}
			if failed := strings.Contains(shown, "could not be scanned"); failed ==
				strings.Contains(string(text), "\nlandlockd_scan_success 1\n") {
				t.Errorf("it failed: %v", failed)
			}
		})
	}
}

const scanned = "landlockd_scan_success 1\nlandlock_enabled 1\n"

// The worst services stand first, as in landlockd services, and what has no series last.
func TestServices(t *testing.T) {
	_, shown := render(t, scanned+`
landlock_workload_processes{workload="a.good",state="sandboxed"} 2
landlock_workload_processes{workload="b.bad",state="unsandboxed"} 2
landlock_workload_processes{workload="c.part",state="unsandboxed"} 2
landlock_workload_processes{workload="c.part",state="sandboxed"} 1
landlock_workload_processes{workload="d.breaks",state="sandboxed"} 1
landlock_workload_processes{workload="e.dark",state="unknown"} 1
landlock_workload_processes{workload="other",state="unsandboxed"} 9
landlockd_workloads_folded 4
landlock_rule_processes{rule="r",result="violating"} 1
landlock_rule_violated{rule="r",severity="critical"} 1
landlock_rule_violations{rule="r",reason="too_shallow",workload="d.breaks"} 1
landlock_rule_runs_total{rule="r",result="short"} 7
landlock_rule_last_broken_timestamp_seconds{rule="r",severity="critical",workload="x"} 1.75e+09
landlock_workload_asset_processes{workload="a.good",asset="keys"} 2
landlock_workload_denials_total{workload="a.good"} 5
landlock_workload_runs_total{workload="b.bad",state="partial"} 6
`)
	at := -1
	for _, words := range []string{
		"r critical violated 1 violating 1 violating too shallow: 1 of d.breaks ended: 7 short",
		"last one that violated it ended at 2025-06-15 15:06:40 UTC",
		"d.breaks violating 1 sandboxed 1 sandboxed violates r",
		"c.part partial", "1 sandboxed, 2 unsandboxed",
		"b.bad unsandboxed", "6 ended unsandboxed or partial",
		"e.dark unknown", "a.good sandboxed", "not kept from keys 5 denied",
		"all 4 others, added up unsandboxed",
	} {
		next := strings.Index(shown, words)
		if next < at || next < 0 {
			t.Errorf("%q is not there or too early in:\n%s", words, shown)
		}
		at = next
	}
}

// Whatever others call their services, rules and assets is text, in quotes.
func TestHostileNames(t *testing.T) {
	hostile := "</style><script>alert(1)</script>\x1b[2J\n\u202e\u05d0\u2066\U000e0041"
	name := strings.NewReplacer("\n", `\n`).Replace(hostile)
	_, shown := render(t, strings.ReplaceAll(scanned+`
landlock_kernel_info{release="N"} 1
landlock_workload_processes{workload="N",state="sandboxed"} 2
landlock_rule_violated{rule="N",severity="N"} 1
landlock_rule_processes{rule="N",result="violating"} 1
landlock_rule_violations{rule="N",reason="N",workload="N"} 1
landlock_asset_processes{asset="N",reach="within_reach"} 1
landlock_workload_asset_processes{workload="N",asset="N"} 2
landlock_denials_by_blocker_total{blocker="N"} 2
landlockd_source_available{source="N",reason="N"} 0
landlockd_source_info{source="N"} 1
`, "N", name))
	quoted := `"</style><script>alert(1)</script>\x1b[2J\x0a\u202e\u05d0\u2066\U000e0041"`
	if n := strings.Count(shown, quoted); n < 6 {
		t.Errorf("the name is there %d times:\n%s", n, shown)
	}
}

// All of a host with as many series as there can be is there, and most of it unfolds.
func TestManyServices(t *testing.T) {
	var b strings.Builder
	b.WriteString(scanned)
	for i := range 100 {
		fmt.Fprintf(&b, "landlock_workload_processes{workload=%q,state=\"unsandboxed\"} %d\n",
			fmt.Sprintf("service-%02d.service", i), 100+i)
	}
	root, shown := render(t, b.String())
	if !strings.Contains(shown, "85 more") || !strings.Contains(shown, "service-99.service") {
		t.Error(shown)
	}
	open := 0
	for n := range root.Descendants() {
		if n.Data == "tr" && n.Parent.Data == "tbody" && !within(n, "details") &&
			strings.HasPrefix(attribute(n.Parent.Parent, "class"), "services") {
			open++
		}
	}
	if open != firstRows {
		t.Errorf("%d services are shown at once, want %d", open, firstRows)
	}
}

func within(n *html.Node, element string) bool {
	for a := range n.Ancestors() {
		if a.Data == element {
			return true
		}
	}
	return false
}

// What is there has a width, all widths add up, and a share is neither rounded to all nor to none.
func TestBar(t *testing.T) {
	b := newBar(states, map[string]int{"sandboxed": 99_999, "unknown": 1})
	sum := 0.0
	for _, p := range b.Parts {
		if (p.Width > 1) != (p.N > 0) {
			t.Errorf("%+v", p)
		}
		sum += p.Width
	}
	if sum < 99.9 || sum > 100.1 || b.Label != "99999 sandboxed, 1 unknown" {
		t.Error(sum, b)
	}
	for ratio, want := range map[float64]string{
		0: "0 %", 0.001: "<1 %", 0.5: "50 %", 0.9999: "99 %", 1: "100 %",
	} {
		if got := percent(ratio); got != want {
			t.Errorf("%v: %s, want %s", ratio, got, want)
		}
	}
}
