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
}

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
