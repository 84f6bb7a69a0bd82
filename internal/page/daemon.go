// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/internal/plural"
)

const milliseconds = 1000 // of a second

// daemon is the daemon's own state, in the order in which it is shown.
func daemon(s series) (all []fact) {
	add := func(name, format string, values ...any) {
		all = append(all, fact{name, fmt.Sprintf(format, values...)})
	}
	if took, ok := s.one("landlockd_scan_duration_seconds"); ok {
		tasks := ""
		if n := s.count("landlockd_scan_tasks"); n > 0 {
			tasks = fmt.Sprintf(", %s read", plural.Count(n, "thread"))
		}
		add("Last scan", "took %.1f ms%s", took*milliseconds, tasks)
	}
	if at, _ := s.one("landlockd_last_scan_timestamp_seconds"); at > 0 {
		add("Last that succeeded", "%s", timeText(at))
	}
	if of := s.info("landlockd_source_info"); of != nil {
		add("Source", "%s; domain IDs: %s, lineage: %s, rules of domains: %s, denials: %s, runs: %s",
			of["source"], of["ids"], of["lineage"], of["rules"], of["denials"], of["runs"])
		if of["pidns"] != "init" {
			add("Sees", "only processes of a PID namespace, not all of the host")
		}
	}
	if n := s.count("landlockd_domains_unread"); n > 0 {
		add("Not read", "%s, beyond a budget", plural.Count(n, "domain"))
	}
	if n := s.counts("landlockd_rules", "status"); len(n) > 0 {
		add("Rules", "%d in force, %d of them about processes here", n["loaded"], n["applied"])
	}
	if ok, there := s.one("landlockd_config_last_reload_successful"); there && ok == 0 {
		add("Configuration", "the last one was not loaded: the one from before is in force")
	}
	if confined := s["landlockd_confined"]; len(confined) > 0 {
		by := map[float64][]string{}
		for _, p := range confined {
			by[p.value] = append(by[p.value], p.labels["mechanism"])
		}
		for _, names := range by {
			slices.Sort(names)
		}
		add("Confined by", "%s", orNothing(by[1]))
		if len(by[0]) > 0 {
			add("Not confined by", "%s", strings.Join(by[0], ", "))
		}
	}
	if of := s.info("landlockd_build_info"); of["version"] != "" {
		add("Version", "%s, revision %s", of["version"], of["revision"])
	}
	return all
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
