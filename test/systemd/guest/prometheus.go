// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/test/promapi"
	"github.com/landlockd/landlockd/test/systemd/timing"
	"github.com/landlockd/landlockd/test/vm/check"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

// prometheusURL is where Debian's server listens.
const prometheusURL = "http://127.0.0.1:9090"

// ask reads what an endpoint of Prometheus' API returns into result.
func ask(endpoint string, values url.Values, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return promapi.Get(ctx, prometheusURL, endpoint, values, result)
}

// query returns the series of an instant query, written as a page has them.
func query(expr string) (page, error) {
	var vector struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any // time, value as text
		}
	}
	if err := ask("query", url.Values{"query": {expr}}, &vector); err != nil {
		return nil, err
	}
	p := make(page)
	for _, s := range vector.Result {
		text, _ := s.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expr, err)
		}
		p[series(s.Metric)] = v
	}
	return p, nil
}

// series writes labels as a page has them: in order.
func series(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		if name != "__name__" {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
		}
	}
	slices.Sort(pairs)
	return labels["__name__"] + "{" + strings.Join(pairs, ",") + "}"
}

// fired returns every alert that was ever firing, sent to people or inhibited.
func fired() (page, error) {
	var all []map[string]string
	p := make(page)
	err := ask("series", url.Values{"match[]": {`ALERTS{alertstate="firing"}`}}, &all)
	for _, labels := range all {
		delete(labels, "alertstate")
		p[series(labels)] = 1
	}
	return p, err
}

// onlyFired compares the alerts that were ever firing with those that had to be.
func onlyFired(t *T, when string, want ...expectation) {
	got, err := fired()
	t.Must(err)
	wanted := make(page)
	for _, e := range want {
		labels := map[string]string{"__name__": "ALERTS"}
		for name, value := range e.labels {
			labels[name] = value
		}
		wanted[series(labels)] = 1
	}
	if d := got.Diff(wanted); d != "" {
		t.Errorf("%s: firing in Prometheus, at any time:\n%s", when, d)
	}
}

// ruleGroup is a group of rules, as files and as the API have them.
type ruleGroup struct {
	Name  string
	Rules []struct {
		Alert, Record, Name string
		Query               string
		Duration            float64 // seconds
		Health, LastError   string
		LastEvaluation      time.Time
	}
}

// ruleNames returns the names of a group's rules, which stand in one of two keys
// in files, and in a third in the API.
func (g ruleGroup) ruleNames() []string {
	var names []string
	for _, r := range g.Rules {
		names = append(names, r.Alert+r.Record+r.Name)
	}
	return names
}

// evaluated says which rules of the files are not there, not healthy or not
// evaluated of late.
func evaluated(files ...string) error {
	var loaded struct{ Groups []ruleGroup }
	if err := ask("rules", nil, &loaded); err != nil {
		return err
	}
	there := make(map[string]ruleGroup)
	for _, g := range loaded.Groups {
		there[g.Name] = g
	}
	n := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var f struct{ Groups []ruleGroup }
		if err := yaml.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, g := range f.Groups {
			if got := there[g.Name].ruleNames(); len(got) == 0 || !slices.Equal(got, g.ruleNames()) {
				return fmt.Errorf("group %s has rules %q, want %q", g.Name, got, g.ruleNames())
			}
			n++
		}
	}
	if n != len(loaded.Groups) {
		return fmt.Errorf("%d groups are loaded, the files have %d", len(loaded.Groups), n)
	}
	for _, g := range loaded.Groups {
		for _, r := range g.Rules {
			age := time.Since(r.LastEvaluation)
			if r.Health != "ok" || r.LastError != "" || age > 2*timing.Scrape+timing.Allowance {
				return fmt.Errorf("%s: %s, evaluated %s ago: %s", r.Name, r.Health, age.Round(time.Millisecond), r.LastError)
			}
		}
	}
	return nil
}

// paces are how long the slowest scrape and the slowest group of rules took, how many
// evaluations were left out and how many scrapes failed: how fast this machine is. Above
// its limit, if it has one, windows and times are no longer those of a host.
var paces = []struct {
	name, expr string
	limit      float64
}{
	{"slowest scrape", `max(max_over_time(scrape_duration_seconds[10m]))`, timing.Scrape.Seconds() / 2},
	{"slowest group", `max(max_over_time(prometheus_rule_group_last_duration_seconds[10m]))`, timing.Scrape.Seconds() / 2},
	{"evaluations left out", `sum(max_over_time(prometheus_rule_group_iterations_missed_total[10m]))`, 0.5},
	{"scrapes failed", `sum(count_over_time((up == 0)[10m:5s])) or vector(0)`, math.Inf(1)},
}

// pace says how fast this machine is.
func pace() string {
	text, _ := measurePace()
	return text
}

// measurePace says so, and reports whether it was too slow.
func measurePace() (text string, slow bool) {
	var said []string
	for _, what := range paces {
		p, err := query(what.expr)
		if err != nil {
			said = append(said, err.Error())
		}
		for _, v := range p {
			said = append(said, fmt.Sprintf("%s %.3g", what.name, v))
			slow = slow || v > what.limit
		}
	}
	return strings.Join(said, ", "), slow
}

// paced has a check that fails state whether Prometheus kept its pace.
func paced(c check.Check) check.Check {
	return func(t *T) {
		defer func() {
			if !t.Failed() {
				return
			}
			if text, slow := measurePace(); slow {
				t.Fact(protocol.TooSlow, text)
			}
		}()
		c(t)
	}
}
