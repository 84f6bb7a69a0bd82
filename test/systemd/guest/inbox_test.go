// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// message is one of Alertmanager 0.25, shortened.
const message = `{"receiver":"people","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A","job":"j"},` +
	`"annotations":{"description":"d","runbook_url":"r","summary":"s"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z",` +
	`"generatorURL":"http://x","fingerprint":"f"}],"groupLabels":{"alertname":"A"},"version":"4","groupKey":"{}","truncatedAlerts":0}`

func TestInbox(t *testing.T) {
	var b inbox
	server := httptest.NewServer(&b)
	defer server.Close()
	for _, text := range []string{message, "nonsense", `{"alerts":[]}`} {
		resp, err := http.Post(server.URL, "application/json", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	all := b.all()
	if len(all) != 3 || all[0].Status != "firing" || !strings.HasPrefix(all[1].Status, "not a message") || !strings.HasPrefix(all[2].Status, "not a message") {
		t.Fatalf("%v", all)
	}
	want := map[string]string{"description": "d", "runbook_url": "r", "summary": "s"}
	if n := all[0]; n.Labels["alertname"] != "A" || !maps.Equal(n.Annotations, want) {
		t.Errorf("%v", n)
	}
	if at, ok := b.await(3, time.Now().Add(time.Minute)); !ok || !at.Equal(all[2].at) {
		t.Errorf("await: %v, %v", at, ok)
	}
	if _, ok := b.await(3, all[2].at.Add(-1)); ok {
		t.Error("what came too late was in time")
	}
	if _, ok := b.await(4, time.Now()); ok {
		t.Error("what never came was in time")
	}
}

// Every way in which a notification may be wrong is noticed.
func TestExpectation(t *testing.T) {
	good := func() notification {
		e := violatedTold("firing")
		return notification{Status: e.status, Labels: maps.Clone(e.labels), Annotations: map[string]string{
			"runbook_url": e.runbook, "summary": e.summary,
			"dashboard_url": "/d/landlockd-rule?from=now-24h&to=now&var-cluster=home&var-rule=records&var-instance=guest%3A10644",
			"description":   "On guest:10644 rule records was violated in 62.5% of the scrapes of the last 40s. Workloads, reasons, processes: store.service: unsandboxed (1).",
		}}
	}
	if d := violatedTold("firing").diff(good()); d != "" {
		t.Errorf("what is as expected: %s", d)
	}
	for name, spoil := range map[string]func(*notification){
		"status":          func(n *notification) { n.Status = "resolved" },
		"severity":        func(n *notification) { n.Labels["severity"] = "warning" },
		"label too many":  func(n *notification) { n.Labels["pod"] = "x" },
		"label missing":   func(n *notification) { delete(n.Labels, "cluster") },
		"text not filled": func(n *notification) { n.Annotations["summary"] = "Rule {{ $labels.rule }} is violated." },
		"text failed":     func(n *notification) { n.Annotations["description"] += " <error expanding template>" },
		"no workload": func(n *notification) {
			n.Annotations["description"] = "On guest:10644 rule records was violated in 62.5% of the scrapes of the last 40s. Workloads, reasons, processes:"
		},
		"too few scrapes": func(n *notification) {
			n.Annotations["description"] = strings.Replace(n.Annotations["description"], "62.5%", "50%", 1)
		},
		"no dashboard":  func(n *notification) { delete(n.Annotations, "dashboard_url") },
		"no runbook":    func(n *notification) { delete(n.Annotations, "runbook_url") },
		"text too many": func(n *notification) { n.Annotations["dashboard"] = "x" },
	} {
		n := good()
		spoil(&n)
		if violatedTold("firing").diff(n) == "" {
			t.Errorf("%s: no difference", name)
		}
	}
}
