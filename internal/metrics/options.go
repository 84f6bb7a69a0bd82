// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Options are what can be left out.
type Options struct {
	// Workloads set which workloads have series of their own. HasRule is not used.
	Workloads collector.WorkloadOptions
	// Rights and Hardening are those of collector.Scrape.
	Rights, Hardening bool
}

// Scrape returns what is shown of a snapshot, with what rules find in it, and with what
// a monitor counted, unless that is nil.
func (o *Options) Scrape(
	snap *scan.Snapshot, result *policy.Evaluation, monitor *denials.Monitor,
) collector.Scrape {
	workloads := o.Workloads
	workloads.HasRule = result.HasRule
	return collector.Scrape{
		Snapshot: snap, Rights: o.Rights, Hardening: o.Hardening, Workloads: &workloads,
		Rules: rules(result), Denials: shownDenials(monitor),
	}
}
