// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const waived = `
rules:
- name: all
  match: {unit: [a.service, b.service]}
  grace: 0
  min_processes: 4
  accept: {until: 2027-01-31, reason: "the vendor's next release"}
- name: some
  match: {unit: [a.service, b.service]}
  grace: 0
  except: [{unit: [b.service], accept: {until: 2027-02-02, reason: b}}, {uid: [9]}]
- name: none
  match: {unit: [a.service]}
`

// A waiver is in force until the day begins in UTC, and then no more, whatever was judged before.
func TestAccept(t *testing.T) {
	h := newHost()
	a, b := h.unit("a.service"), h.unit("b.service")
	d := h.domain(-1, allFS)
	h.process(a, "/a", d)
	h.process(a, "/a", -1)
	h.process(b, "/b", -1)
	e := New(load(t, waived), Options{})
	east := time.FixedZone("east", 14*3600)
	for _, c := range []struct{ at, want string }{
		{"2027-01-30T23:59:59Z", "all [1 0 0 0 2] false true, some [1 1 0 0 1] true true, none [1 1 0 0 0] true false"},
		{"2027-01-31T00:00:00Z", "all [1 2 0 0 0] true false, some [1 1 0 0 1] true true, none [1 1 0 0 0] true false"},
		{"2027-02-02T00:00:00Z", "all [1 2 0 0 0] true false, some [1 2 0 0 0] true false, none [1 1 0 0 0] true false"},
		// The clock was set back.
		{"2027-01-01T00:00:00Z", "all [1 0 0 0 2] false true, some [1 1 0 0 1] true true, none [1 1 0 0 0] true false"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h.Time = at.In(east)
			var got []string
			for _, r := range e.Evaluate(h.Snapshot).Rules {
				got = append(got, fmt.Sprint(r.Rule.Name, " ", r.Processes, " ", r.Violated, " ", r.Waived()))
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("%s: got  %s\nwant %s", c.at, got, c.want)
			}
		}
	}
	h.Time = time.Time{}
	if r := e.Evaluate(h.Snapshot); r.Waived() {
		t.Error("a waiver is in force at no known time")
	}
}

// What is waived is said of each process, and why, and of its service.
func TestAcceptIsExplained(t *testing.T) {
	h := newHost()
	p := *h.process(h.unit("b.service"), "/b", -1)
	h.Time = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	e := New(load(t, waived), Options{ByWorkload: true})
	var all []string
	for _, x := range e.Explain(h.Snapshot, &p) {
		all = append(all, fmt.Sprintf("%s: %s, %s: %s", x.Rule.Name, x.Applies, x.Result, x.Why))
	}
	const want = "all: yes, waived: none of its tasks is in a domain; accepted until 2027-01-31: the vendor's next release\n" +
		"some: yes, waived: none of its tasks is in a domain; accepted until 2027-02-02: b\n" +
		"none: no, unknown: unit does not match"
	if got := strings.Join(all, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r := e.Evaluate(h.Snapshot)
	for _, of := range r.ByWorkload["b.service"] {
		if of.Result() != Waived {
			t.Errorf("%s: %s", of.Rule.Name, of.Result())
		}
	}
	if len(r.Violators) > 0 || r.rule("all").MissingWaived != 3 || r.Violated() {
		t.Errorf("%+v", r)
	}
	if w := Waived.Met(); w.String() != "no" {
		t.Errorf("waived is met: %s", w)
	}
	// It is not known whether the waiver is about it: neither is what it says then.
	h.Workloads[0].Cgroup, h.Workloads[0].Kind, h.Workloads[0].Unit = "", 0, ""
	if n := New(load(t, waived), Options{}).Evaluate(h.Snapshot).rule("some"); n != nil {
		t.Errorf("%+v", n)
	}
}

// Ended runs are waived, too, those within grace only where they would violate.
func TestAcceptEnded(t *testing.T) {
	h := newHost()
	h.process(h.unit("b.service"), "/b", -1).Start = 995 * second // 5 s old
	h.Time = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	s := ended(h.Snapshot)
	const text = `rules: [{name: a, match: {unit: [b.service]}, short_runs: %s, accept: {until: 2027-01-31, reason: a}}]`
	for short, want := range map[string]string{"violation": "waived", "count": "short"} {
		for key, v := range found(New(load(t, fmt.Sprintf(text, short)), Options{}), s, false) {
			if v.Result.OfRun() != want {
				t.Errorf("%s: %s: %s, want %s", short, key, v.Result.OfRun(), want)
			}
		}
	}
}

func TestLapsed(t *testing.T) {
	c := load(t, waived)
	for at, want := range map[string]int{"2027-01-30": 0, "2027-01-31": 1, "2027-02-01": 1, "2027-02-02": 2} {
		now, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Lapsed(now)
		if len(got) != want {
			t.Errorf("%s: %v, want %d", at, got, want)
		}
		if want > 0 && !strings.Contains(got[0].String(), ":3:9: accept of rule all is in force no more, since 2027-01-31") {
			t.Errorf("%s", got[0])
		}
	}
}
