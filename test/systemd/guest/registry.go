// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/landlockd/landlockd/test/vm/check"
)

// registry has every check that a guest can run. To add one, write a function
// in a file of its own, name it here, and name it in a scenario
// (../scenarios.go). The checks of one scenario share a guest, and later
// ones build upon what earlier ones left running.
func registry() map[string]check.Check {
	h := &host{}
	return map[string]check.Check{
		"services":   h.checkServices,
		"names":      h.checkNames,
		"rules":      h.checkRules,
		"violation":  h.checkViolation,
		"check":      h.checkCheck,
		"reload":     h.checkReload,
		"forgery":    h.checkForgery,
		"units":      h.checkUnits,
		"verdicts":   h.checkVerdicts,
		"package":    h.checkPackage,
		"monitoring": h.checkMonitoring,
		"alert":      paced(h.checkAlert),
		"textfile":   paced(h.checkTextfile),
		"runs":       paced(h.checkRuns),
		"ordinary":   paced(h.checkOrdinary),
		"afternoon":  h.checkAfternoon,
		"known":      h.checkKnown,
		"dashboard":  h.checkDashboard,
		"kernel":     check.Kernel,
	}
}

// host is what the checks of one boot share.
type host struct {
	// scraped is when metrics were last got.
	scraped time.Time
	// inbox has what Alertmanager sent, in a boot with checkMonitoring.
	inbox inbox
	// broke is when the last run that broke a rule ended, in a boot with checkRuns.
	broke time.Time
}
