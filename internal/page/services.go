// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// firstRows is how many services are shown at once; the others unfold.
const firstRows = 15

// rows are the services, the worst first.
type rows struct{ First, Rest []service }

// service is one workload, or all that have no series of their own: Folded is how many then.
type service struct {
	Name, Word, Class string
	Folded            int
	Bar               bar
	// Violates are names of rules, and Within of assets that it is not kept from.
	Violates, Within []string
	// Denied accesses and Ended processes that were not sandboxed.
	Denied, Ended int
}

// order is that of landlockd services.
func (s *service) order() int {
	return slices.Index([]string{
		policy.Violating.String(), scan.Partial.String(), scan.Unsandboxed.String(),
		scan.Unknown.String(), scan.Sandboxed.String(),
	}, s.Word)
}

func services(s series) rows {
	violates, within := map[string][]string{}, map[string][]string{}
	for _, p := range s["landlock_rule_violations"] {
		add(violates, p.labels["workload"], p.labels["rule"])
	}
	for _, p := range s["landlock_workload_asset_processes"] {
		add(within, p.labels["workload"], p.labels["asset"])
	}
	denied := s.counts("landlock_workload_denials_total", "workload")
	ended := s.counts("landlock_workload_runs_total", "workload")
	groups := s.groups("landlock_workload_processes", "workload", "state")
	all := make([]service, 0, len(groups))
	for _, g := range groups {
		var n scan.ByState
		for _, state := range scan.States() {
			n[state] = g.n[state.String()]
		}
		one := service{
			Name: g.name, Word: n.State().String(), Bar: newBar(states, g.n),
			Violates: violates[g.name], Within: within[g.name],
			Denied: denied[g.name], Ended: ended[g.name],
		}
		if g.name == collector.Other {
			one.Folded = s.count("landlockd_workloads_folded")
		}
		for _, k := range states {
			if k.word == one.Word {
				one.Class = k.class
			}
		}
		if len(one.Violates) > 0 {
			one.Word, one.Class = policy.Violating.String(), "bad"
		}
		all = append(all, one)
	}
	order.By(all, func(a, b service) int {
		return cmp.Or(cmp.Compare(min(a.Folded, 1), min(b.Folded, 1)),
			cmp.Compare(a.order(), b.order()), cmp.Compare(a.Name, b.Name))
	})
	first := min(len(all), firstRows)
	return rows{all[:first], all[first:]}
}

// add adds a name that is not there yet.
func add(to map[string][]string, key, name string) {
	if !slices.Contains(to[key], name) {
		to[key] = append(to[key], name)
	}
}

// sortCounts puts the most first.
func sortCounts(all []count) {
	order.By(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
}
