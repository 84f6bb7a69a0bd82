// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// inboxAddress is where Alertmanager sends to.
const inboxAddress = "127.0.0.1:9999"

// notification is an alert as Alertmanager sends it to people.
type notification struct {
	Status              string
	Labels, Annotations map[string]string
	StartsAt            time.Time
	at                  time.Time
}

func (n notification) String() string {
	return fmt.Sprintf("%s %s %v: %v", n.at.UTC().Format(time.TimeOnly), n.Status, n.Labels, n.Annotations)
}

// repeats reports whether an earlier notification said the same of the same alert. One
// that fires anew has another start.
func (n notification) repeats(earlier notification) bool {
	return n.Status == earlier.Status && n.StartsAt.Equal(earlier.StartsAt) && maps.Equal(n.Labels, earlier.Labels)
}

// inbox is the receiver of Alertmanager's webhook. It keeps all that it got, but for what
// a message about one alert repeats of others in its group.
type inbox struct {
	mu  sync.Mutex
	got []notification
}

// listen serves until the guest goes off.
func (b *inbox) listen(t *T) {
	l, err := net.Listen("tcp", inboxAddress)
	t.Must(err)
	go func() { _ = http.Serve(l, b) }()
}

// ServeHTTP takes one message, which is about one alert or several. What is no
// message is kept as a notification, too: one that nobody expects.
func (b *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var message struct{ Alerts []notification }
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil || len(message.Alerts) == 0 {
		message.Alerts = []notification{{Status: fmt.Sprintf("not a message: %v", err)}}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range message.Alerts {
		n.at = time.Now()
		if !slices.ContainsFunc(b.got, n.repeats) {
			b.got = append(b.got, n)
		}
	}
}

// all returns what came until now.
func (b *inbox) all() []notification {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// await waits until n notifications are there, and returns when the last of them
// came. There is an end to it.
func (b *inbox) await(n int, until time.Time) (time.Time, bool) {
	for ; ; time.Sleep(20 * time.Millisecond) {
		if all := b.all(); len(all) >= n {
			return all[n-1].at, !all[n-1].at.After(until)
		}
		if time.Now().After(until) {
			return time.Time{}, false
		}
	}
}

// expectation is a notification as it has to be. Its labels and annotations are
// all that there are.
type expectation struct {
	status string
	labels map[string]string
	// runbook and summary are exact; the description has figures in it.
	runbook, summary string
	description      *regexp.Regexp
}

// dashboard is where the alert is looked at: for what its labels name, on the dashboard of its
// rule if it has one, else on that of its host.
func (e expectation) dashboard() string {
	kind, shown := "host", []string{"cluster", "instance"}
	if e.labels["rule"] != "" {
		kind, shown = "rule", []string{"cluster", "rule", "instance"}
	}
	link := "/d/landlockd-" + kind + "?from=now-24h&to=now"
	for _, name := range shown {
		link += "&var-" + name + "=" + url.QueryEscape(e.labels[name])
	}
	return link
}

// diff says in what a notification is not as expected, or nothing.
func (e expectation) diff(n notification) string {
	switch a := n.Annotations; {
	case n.Status != e.status:
		return "status " + n.Status
	case !maps.Equal(n.Labels, e.labels):
		return fmt.Sprintf("labels %v, want %v", n.Labels, e.labels)
	case len(a) != 4 || a["runbook_url"] != e.runbook || a["summary"] != e.summary || a["dashboard_url"] != e.dashboard():
		return fmt.Sprintf("annotations %v, want summary %q, runbook_url %q and dashboard_url %q",
			a, e.summary, e.runbook, e.dashboard())
	case !e.description.MatchString(a["description"]):
		return fmt.Sprintf("description %q, want %s", a["description"], e.description)
	}
	return ""
}

// expect compares all that was ever sent with what should have been, and ends the
// check if that is not the same: what comes later would be judged wrongly.
func (b *inbox) expect(t *T, when string, want ...expectation) { expect(t, when, b.all(), want) }

// expectSorted does so where the order is that of chance: want is in the order of status
// and rule.
func (b *inbox) expectSorted(t *T, when string, want ...expectation) {
	got := b.all()
	slices.SortStableFunc(got, func(a, b notification) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Labels["rule"], b.Labels["rule"]))
	})
	expect(t, when, got, want)
}

func expect(t *T, when string, got []notification, want []expectation) {
	var wrong []string
	for i, n := range got {
		if i >= len(want) {
			wrong = append(wrong, "nobody should have been told: "+n.String())
		} else if d := want[i].diff(n); d != "" {
			wrong = append(wrong, d)
		}
	}
	for _, missing := range want[min(len(got), len(want)):] {
		wrong = append(wrong, fmt.Sprintf("nobody was told: %s %v", missing.status, missing.labels))
	}
	if len(wrong) > 0 {
		t.Fatalf("%s: %s", when, strings.Join(wrong, "\n"))
	}
}
