// SPDX-License-Identifier: Apache-2.0

package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

func TestAnswers(t *testing.T) {
	const noWeb = "rules: [{name: a, match: {unit: [good.service]}}, " +
		"{name: b, match: {unit: [wev.service]}}]"
	h := mixed()
	for _, c := range []struct {
		require bool
		want    Answer
	}{{false, Compliant}, {true, Violated}} {
		if got := Of(h.judge(t, noWeb), c.require); got != c.want {
			t.Errorf("about nothing, matches required %t: %s, want %s", c.require, got, c.want)
		}
	}
	if got := Of(h.judge(t, strings.Replace(noWeb, "wev", "web", 1)+"\n"), true); got != Violated {
		t.Errorf("all are about something: %s", got) // web.service is unsandboxed
	}
	good := h.judge(t, "rules: [{name: a, match: {unit: [good.service]}}]")
	if got := Of(good, true); got != Compliant {
		t.Errorf("all are about something, which complies: %s", got)
	}
	h.process(50, "", "lost", "/usr/bin/lost", 1, scan.Unsandboxed)
	h.Workloads[len(h.Workloads)-1] = scan.Workload{}
	if got := Of(h.judge(t, noWeb), true); got != Undecided {
		t.Errorf("what may be the one that a rule is about: %s", got)
	}
	for rules, want := range map[string]Answer{
		fourRules: Violated,
		"rules: [{name: a, match: {unit: [good.service]}}]":                                                         Compliant,
		"rules: [{name: a, match: {unit: [young.service]}}]":                                                        Compliant,
		"rules: [{name: a, match: {unit: [young.service]}, grace: 0s}]":                                             Violated,
		"rules: [{name: a, match: {unit: [hidden.service]}}]":                                                       Undecided,
		"rules: [{name: a, match: {unit: [hidden.service]}}, {name: b, match: {unit: [web.service]}}]":              Violated,
		"rules: [{name: a, match: {unit: [elsewhere.service]}}]":                                                    Compliant,
		"rules: [{name: a, match: {unit: [elsewhere.service]}, min_processes: 1}]":                                  Violated,
		"rules: [{name: a, match: {unit: [good.service]}, expect: {min_depth: 2}}]":                                 Violated,
		"rules: [{name: a, match: {unit: [good.service]}, expect: {min_depth: 1, restricts: [fs.write_file]}}]":     Compliant,
		"rules: [{name: a, match: {unit: [good.service]}, expect: {restricts: [net.connect_tcp]}, severity: info}]": Violated,
	} {
		if got := Of(mixed().judge(t, rules), false); got != want {
			t.Errorf("%s: %s, want %s", rules, got, want)
		}
	}
}

func TestText(t *testing.T) {
	old := time.Local
	time.Local = time.UTC
	defer func() { time.Local = old }()
	var w strings.Builder
	h := mixed()
	if err := Text(&w, &h.Snapshot, h.judge(t, fourRules), true); err != nil {
		t.Fatal(err)
	}
	want := `RULE     REASON       PID  SINCE                COMM                WORKLOAD     EXE
web      unsandboxed  20   2025-03-01 11:30:00  "web\x1b[31m\x09|"  web.service  "/usr/bin/web\u202egnp"
missing  too_few      -    -                    2 missing           -            -

RULE    UNKNOWN  PID  COMM    WHY
hidden  1        30   hidden  its state is unknown: denied

RULE     RESULT     SEVERITY  VIOLATING  COMPLIANT  STARTING  UNKNOWN  FILE
web      violated   critical  1          0          0         0        rules.yml:3
missing  violated   warning   0          0          0         0        rules.yml:6
hidden   unknown    warning   0          0          0         1        rules.yml:4
young    starting   warning   0          0          1         0        rules.yml:2
good     compliant  warning   0          1          0         0        rules.yml:5

RULE       APPLIES  SEVERITY  FILE
elsewhere  no       warning   rules.yml:7

2 of 6 rules violated, 1 unknown, 1 with processes that are too young to be judged, 1 about no process here.
`
	if got := w.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// waiverRules accept what some rules find. The host was looked at on 2025-03-01.
const waiverRules = `rules:
  - {name: young, match: {unit: [young.service]}, accept: {until: 2025-03-01, reason: lapsed}}
  - {name: web, match: {unit: [web.service]}, except: [{unit: [web.service], accept: {until: 2025-03-02, reason: "a \x1b[31m|\u202enext release"}}]}
  - {name: good, match: {unit: [good.service]}, accept: {until: 2025-05-01, reason: it may fail}}
  - {name: missing, match: {unit: [missing.service]}, min_processes: 2, accept: {until: 2025-04-01, reason: not there yet}}
`

// What is waived is never compliant and never passed over: it is listed with the day and the reason.
func TestWaived(t *testing.T) {
	h := mixed()
	r := h.judge(t, waiverRules)
	if got := Of(r, false); got != Waived || got.String() != "waived" {
		t.Errorf("it comes to %s", got)
	}
	var w strings.Builder
	if err := Text(&w, &h.Snapshot, r, true); err != nil {
		t.Fatal(err)
	}
	const want = `RULE     WAIVED              UNTIL       REASON
web      1 process (PID 20)  2025-03-02  "a \x1b[31m|\u202enext release"
missing  2 missing           2025-04-01  not there yet
good     0 processes         2025-05-01  it may fail

RULE     RESULT     SEVERITY  VIOLATING  COMPLIANT  STARTING  UNKNOWN  FILE
web      waived     warning   0          0          0         0        rules.yml:3
missing  waived     warning   0          0          0         0        rules.yml:5
young    starting   warning   0          0          1         0        rules.yml:2
good     compliant  warning   0          1          0         0        rules.yml:4

0 of 4 rules violated, 2 waived, 1 with processes that are too young to be judged.
`
	if got := w.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var j strings.Builder
	if err := JSON(&j, &h.Snapshot, r, false, "scan"); err != nil {
		t.Fatal(err)
	}
	hosts.CheckSafe(t, j.String())
	var got struct {
		Answer string
		Rules  []struct {
			Name, Result string
			Violated     bool
			Processes    map[string]int
			Accepts      []struct{ Until, Reason string }
			Missing      int `json:"missing_waived"`
		}
	}
	if err := json.Unmarshal([]byte(j.String()), &got); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range got.Rules {
		all = append(all, fmt.Sprint(r.Name, r.Result, r.Violated, r.Processes["waived"], r.Missing, r.Accepts))
	}
	wantRules := []string{
		"young starting false 0 0 []", "web waived false 1 0 [{2025-03-02 a \x1b[31m|\u202enext release}]",
		"good compliant false 0 0 [{2025-05-01 it may fail}]", "missing waived false 0 2 [{2025-04-01 not there yet}]",
	}
	if got.Answer != "waived" {
		t.Errorf("%s", got.Answer)
	}
	for i, want := range wantRules {
		if i >= len(all) || strings.ReplaceAll(all[i], " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("got %q, want %q", all, want)
			break
		}
	}
	// A summary has numbers alone.
	b, err := json.Marshal(Rules(r, false))
	if err != nil || strings.Contains(string(b), "release") || !strings.Contains(string(b), `"waived":1`) {
		t.Errorf("%v: %s", err, b)
	}
}

// What can begin while a process runs has no time.
func TestSince(t *testing.T) {
	old := time.Local
	time.Local = time.UTC
	defer func() { time.Local = old }()
	h := mixed()
	for expect, want := range map[string]string{
		"min_depth: 2": `too_shallow +10 +2025-03-01 1\d:\d\d:00 `,
		"min_depth: 2, state: [sandboxed, partial]":   `too_shallow +10 +- `,
		"restricts: [net.connect_tcp]":                `right_not_restricted +10 +- `,
		"restricts: [net.connect_tcp], min_depth: 16": `too_shallow +10 +2025-03-01 1\d:\d\d:00 `,
	} {
		r := h.judge(t, "rules: [{name: a, match: {unit: [good.service]}, expect: {"+expect+"}}]")
		var text, js strings.Builder
		if err := errors.Join(Text(&text, &h.Snapshot, r, true), JSON(&js, &h.Snapshot, r, false, "scan")); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^a +` + want).MatchString(text.String()) {
			t.Errorf("%s:\n%s", expect, &text)
		}
		if strings.Contains(js.String(), `"since": null`) != strings.HasSuffix(want, "- ") {
			t.Errorf("%s:\n%s", expect, &js)
		}
	}
}

// A rule that many violate names a few and counts the others.
func TestTextOfMany(t *testing.T) {
	h := newHost()
	for pid := int32(1); pid <= 30; pid++ {
		h.process(pid, "web.service", "web", "/usr/bin/web", 1, scan.Unsandboxed)
	}
	var w strings.Builder
	if err := Text(&w, &h.Snapshot, h.judge(t, fourRules), true); err != nil {
		t.Fatal(err)
	}
	if shown := strings.Count(w.String(), "/usr/bin/web"); shown == 0 || !strings.Contains(w.String(), fmt.Sprintf("and %d more", 30-shown)) {
		t.Errorf("%d shown:\n%s", shown, &w)
	}
}

func TestNoTextOfOthersActs(t *testing.T) {
	h := mixed()
	r := h.judge(t, fourRules)
	var w strings.Builder
	for _, ascii := range []bool{true, false} {
		if err := Text(&w, &h.Snapshot, r, ascii); err != nil {
			t.Fatal(err)
		}
		for i := range h.Processes {
			p := &h.Processes[i]
			one := One{Snapshot: &h.Snapshot, Process: p, Result: policy.Violating, Why: "x\x1b\n"}
			w.WriteString(one.Text(ascii))
			if err := one.JSON(&w); err != nil {
				t.Fatal(err)
			}
			if err := NagiosLine(&w, Critical, one.Text(true)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := JSON(&w, &h.Snapshot, r, true, "scan"); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q is written", r)
		}
	}
}

func TestJSON(t *testing.T) {
	h := mixed()
	var w strings.Builder
	if err := JSON(&w, &h.Snapshot, h.judge(t, fourRules), false, "scan"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema, Answer, Time string
		Loaded               int `json:"rules_loaded"`
		Applied              int `json:"rules_applied"`
		Unmatched            []struct{ Name, Severity, Applies string }
		Rules                []struct {
			Name, Result string
			Violated     bool
			Processes    map[string]int
			Unknown      *struct {
				Why     string
				Process struct{ PID int32 }
			}
			Violations []struct {
				Reason    string
				Workload  *string
				Processes int
				PIDs      []int32
				Examples  []struct {
					Since   string
					Process struct {
						PID   int32
						State string
						Exe   string
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(w.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != Schema || got.Answer != "violated" || got.Loaded != 6 || got.Applied != 4 || len(got.Rules) != 5 || got.Time != "2025-03-01T12:00:00Z" {
		t.Fatalf("%+v", got)
	}
	if u := fmt.Sprint(got.Unmatched); u != "[{elsewhere warning no}]" {
		t.Errorf("unmatched: %s", u)
	}
	for _, r := range got.Rules {
		if r.Violated != (len(r.Violations) > 0) || len(r.Processes) != 5 {
			t.Errorf("%+v", r)
		}
		if u := r.Unknown; (u != nil) != (r.Name == "hidden") || u != nil && (u.Process.PID != 30 || u.Why != "its state is unknown: denied") {
			t.Errorf("%+v: %+v", r, u)
		}
		if r.Name != "web" {
			continue
		}
		v := r.Violations[0]
		if v.Reason != "unsandboxed" || *v.Workload != "web.service" || v.Examples[0].Since != "2025-03-01T11:30:00Z" ||
			v.Examples[0].Process.PID != 20 || v.Examples[0].Process.State != "unsandboxed" || v.Examples[0].Process.Exe != "/usr/bin/web\u202egnp" {
			t.Errorf("%+v", v)
		}
	}
}

// A summary holds numbers alone.
func TestRulesWithoutNames(t *testing.T) {
	h := mixed()
	h.process(50, "other.service", "web", "/usr/bin/web", 1, scan.Unsandboxed)
	b, err := json.Marshal(Rules(h.judge(t, "rules: [{name: all, match: {unit: ['*']}}]"), false))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"service", "pid", "workload", "web"} {
		if strings.Contains(string(b), bad) {
			t.Errorf("%s in %s", bad, b)
		}
	}
	if !strings.Contains(string(b), `{"reason":"unsandboxed","processes":2}`) {
		t.Errorf("%s", b)
	}
}

func TestNagios(t *testing.T) {
	for _, c := range []struct {
		rules   string
		require bool
		status  Status
		want    string
	}{
		{"rules: [{name: a, match: {unit: [goood.service]}}]", false, OK,
			"LANDLOCK OK - 0 of 1 rule violated, 1 about no process here | "},
		{"rules: [{name: a, match: {unit: [goood.service]}}]", true, Warning,
			"LANDLOCK WARNING - 0 of 1 rule violated, 1 about no process here: " +
				"a (about no process) | "},
		{"rules: [{name: a, match: {unit: [goood.service]}, severity: critical}]", true, Critical,
			"LANDLOCK CRITICAL - "},
		{"rules: [{name: a, match: {cmdline: [x]}}]", true, Unknown,
			"LANDLOCK UNKNOWN - 0 of 1 rule violated, 1 perhaps about none: a (unknown) | "},
		{fourRules, false, Critical, "LANDLOCK CRITICAL - 2 of 6 rules violated, 1 unknown, 1 with processes that are too young to be judged, 1 about no process here: web (unsandboxed), missing (too_few), hidden (unknown) | rules=6;;;0 applied=4;;;0 compliant=1;;;0 violating=1;;;0 starting=1;;;0 unknown=1;;;0 waived=0;;;0\n"},
		{waiverRules, false, OK, "LANDLOCK OK - 0 of 4 rules violated, 2 waived, 1 with processes that are too young to be judged: web (waived until 2025-03-02), missing (waived until 2025-04-01) | rules=4;;;0 applied=3;;;0 compliant=1;;;0 violating=0;;;0 starting=1;;;0 unknown=0;;;0 waived=1;;;0\n"},
		{"rules: [{name: a, match: {unit: [web.service]}}]", false, Warning, "LANDLOCK WARNING - 1 of 1 rule violated: a (unsandboxed) | "},
		{"rules: [{name: a, match: {unit: [hidden.service]}, severity: critical}]", false, Unknown, "LANDLOCK UNKNOWN - 0 of 1 rule violated, 1 unknown: a (unknown) | "},
		{"rules: [{name: a, match: {unit: [hidden.service]}}, {name: b, match: {unit: [web.service]}}]", false, Warning, "LANDLOCK WARNING - "},
		{"rules: [{name: a, match: {unit: [good.service]}}]", false, OK, "LANDLOCK OK - 0 of 1 rule violated | "},
	} {
		var w strings.Builder
		status, err := Nagios(&w, mixed().judge(t, c.rules), c.require)
		if err != nil || status != c.status || !strings.HasPrefix(w.String(), c.want) {
			t.Errorf("%s: %v, %v, %s", c.rules, status, err, &w)
		}
		// What the plugin guidelines ask of the line.
		form := regexp.MustCompile(`^LANDLOCK (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+ \|( [a-z]+=[0-9]+;;;0)+\n$`)
		if !form.MatchString(w.String()) {
			t.Errorf("%q", &w)
		}
	}
	var w strings.Builder
	if err := NagiosLine(&w, Unknown, "a | b"); err != nil || w.String() != "LANDLOCK UNKNOWN - a / b\n" {
		t.Errorf("%q, %v", &w, err)
	}
}

// What is not known stands with its reason.
func TestUnknownSaysWhy(t *testing.T) {
	h := mixed()
	h.Source.Rules = "read" // of which nothing was read
	h.process(50, "other.service", "other", "/usr/bin/other", 1, scan.Sandboxed).ExeOrigin = scan.OriginUnknown
	h.process(60, "other.service", "none", "", 1, scan.Unsandboxed)
	var w strings.Builder
	err := Text(&w, &h.Snapshot, h.judge(t, `rules:
  - {name: good, match: {unit: [good.service]}, expect: {restricts: [fs.execute]}}
  - {name: other, match: {exe: [/usr/bin/other]}}
  - {name: others, match: {exe: [/usr/bin/web]}, min_processes: 1}
  - {name: but, match: {unit: [other.service]}, except: [{exe: ["/usr/bin/*"]}], expect: {effective: false}}
`), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`good +1 +10 +good +it is not known whether it restricts fs.execute: not all of its rules were read\n`,
		`other +1 +50 +other +it is not known whether the rule is about it: exe: it is not known who put`,
		`others +1 +- +- +it is not known whether there are too few processes`,
		`executable +60 +none +the path of its executable is not known`,
		`but +2 +50 +other +it is not known whether the rule is about it, for its except`,
	} {
		if !regexp.MustCompile(want).MatchString(w.String()) {
			t.Errorf("no %q in\n%s", want, &w)
		}
	}
}
