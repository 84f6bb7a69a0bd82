// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// query is what a request is about: all that holds of each member that is set.
type query struct {
	pid            int32
	workload, rule string
	// only are the kinds of what happened; empty: all. last is how many of what is remembered,
	// negative: all.
	only          []string
	last          int
	follow, brief bool
}

// wants reports whether what happened of a kind is asked for.
func (q *query) wants(kind string) bool { return len(q.only) == 0 || slices.Contains(q.only, kind) }

// parseQuery parses a query that may have some parameters, each once.
func parseQuery(text string, may ...string) (q query, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return q, errors.New("the query is malformed")
	}
	for name, all := range values {
		if !slices.Contains(may, name) || len(all) != 1 || all[0] == "" {
			return q, fmt.Errorf("want no parameter but %s, each once, and not empty",
				strings.Join(may, ", "))
		}
	}
	q.workload, q.rule = values.Get("workload"), values.Get("rule")
	if only := values.Get("only"); only != "" {
		q.only = strings.Split(only, ",")
	}
	for _, kind := range q.only {
		if !slices.Contains(LogKinds(), kind) {
			return q, fmt.Errorf("only=%.20q: want some of %s", kind, strings.Join(LogKinds(), ","))
		}
	}
	q.last = -1
	if last := values.Get("last"); last != "" {
		n, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return q, fmt.Errorf("last=%.20q is no number, or too large", last)
		}
		q.last = int(n)
	}
	for _, name := range []string{"follow", "brief"} {
		if value := values.Get(name); value != "" && value != "true" {
			return q, fmt.Errorf("%s is true, or left out", name)
		}
	}
	q.follow, q.brief = values.Has("follow"), values.Has("brief")
	if pid := values.Get("pid"); pid != "" {
		q.pid, err = parsePID(pid)
	}
	return q, err
}

func parsePID(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%.20q is no PID", text)
	}
	return int32(n), nil
}
