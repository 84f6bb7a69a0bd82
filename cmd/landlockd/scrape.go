// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/metrics"
	"github.com/landlockd/landlockd/internal/policy"
)

// scrape returns what is shown of a snapshot by the flags: with what rules find in it, and
// with what a monitor counted, unless that is nil.
func (s *settings) scrape(result *policy.Evaluation, monitor *denials.Monitor) collector.Scrape {
	workloads := s.workloads.options
	workloads.HasRule = result.HasRule
	return collector.Scrape{
		Rights: s.kernel.rights, Hardening: s.kernel.hardening, Workloads: &workloads,
		Rules: metrics.Rules(result), Denials: metrics.Denials(monitor),
	}
}
