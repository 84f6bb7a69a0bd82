// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// document reads a file of the documentation.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows returns the first cells of the table that begins with a header.
func rows(t *testing.T, text, header string) (words []string) {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n| "+header+" |")
	if !found {
		t.Fatalf("no table with the header %s", header)
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		words = append(words, m[1])
	}
	return words
}

// quoted returns the words in code font of the line that begins with some text.
func quoted(t *testing.T, text, start string) (words []string) {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+start)
	if !found {
		t.Fatalf("no line begins with %s", start)
	}
	line, _, _ := strings.Cut(rest, "\n")
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(line, -1) {
		words = append(words, m[1])
	}
	return words
}

func wantWords(t *testing.T, where string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", where, got, want)
	}
}

// The words of exe_origin are the same everywhere.
func TestDocsOrigins(t *testing.T) {
	var want []string
	for _, o := range []scan.Origin{scan.OriginUnknown, scan.OfHost, scan.OfImage, scan.OfUser} {
		want = append(want, o.String())
	}
	wantWords(t, "docs/rules.md", rows(t, document(t, "rules.md"), "origin"), want)
	json1 := quoted(t, document(t, "json.md"), "| `exe_origin` |")
	wantWords(t, "docs/json.md",
		slices.DeleteFunc(json1, func(w string) bool { return w == "exe" }), want)
	var schema struct {
		Defs struct {
			BriefProcess struct {
				Properties struct {
					Origin struct{ Enum []string } `json:"exe_origin"`
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(document(t, "schema/snapshot-v1.json")), &schema); err != nil {
		t.Fatal(err)
	}
	wantWords(t, "the schema", schema.Defs.BriefProcess.Properties.Origin.Enum, want)
}

// The reasons of violations are the same everywhere.
func TestDocsReasons(t *testing.T) {
	var want []string
	for r := NoReason + 1; r < numReasons; r++ {
		want = append(want, r.String())
	}
	wantWords(t, "docs/rules.md", rows(t, document(t, "rules.md"), "reason"), want)
	wantWords(t, "docs/metrics.md",
		labelWords(t, "landlock_rule_violations", "`reason`: ", "<br>"), want)
}

// What is not known of a process has the same words everywhere.
func TestDocsDoubts(t *testing.T) {
	var want []string
	for _, d := range Doubts() {
		want = append(want, d.String())
	}
	runbook := document(t, "runbooks/LandlockRuleMatchUnknown.md")
	wantWords(t, "the runbook", rows(t, runbook, "reason"), want)
	wantWords(t, "docs/metrics.md",
		labelWords(t, "landlockd_rule_match_unknown_processes", "`reason`: ", " |"), want)
}

// labelWords returns the values of a label in the line of a metric.
func labelWords(t *testing.T, metric, label, end string) []string {
	t.Helper()
	_, line, found := strings.Cut(document(t, "metrics.md"), "\n| `"+metric+"` |")
	_, values, ofLabel := strings.Cut(line, label)
	if !found || !ofLabel {
		t.Fatalf("docs/metrics.md has no %s with %s", metric, label)
	}
	values, _, _ = strings.Cut(values, end)
	return quoted(t, "\n"+values, "")
}
