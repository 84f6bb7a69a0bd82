// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/landlockd/landlockd/test/vm/check"
)

// T is what a check reports to.
type T = check.T

// registry has every check that a guest can run. To add one, write a function
// in a file of its own, name it here, and name it in a boot of the matrix
// (../boots.go).
var registry = map[string]check.Check{
	"report":          checkReport,
	"scan":            checkScan,
	"reach":           checkReach,
	"rules":           checkRules,
	"sockets":         checkSockets,
	"truth":           checkTruth,
	"churn":           checkChurn,
	"runs":            checkRuns,
	"ids":             checkIDs,
	"caps":            checkCaps,
	"handoff":         checkHandoff,
	"order":           checkOrder,
	"off":             checkOff,
	"lockdown":        checkLockdown,
	"nocompiler":      checkNoCompiler,
	"noattr":          checkNoAttr,
	"attr":            checkAttr,
	"attroff":         checkAttrOff,
	"attrselftests":   checkAttrSelftests,
	"procattr":        checkProcAttr,
	"same":            checkSame,
	"both":            checkBoth,
	"daemon":          checkDaemon,
	"clock":           checkClock,
	"inside":          checkInside,
	"denials":         checkDenials,
	"programs":        checkPrograms,
	"legacy":          checkLegacy,
	"cost":            checkCost,
	"deb":             checkDeb,
	"kernelselftests": checkSelftests,
	"kernel":          check.Kernel,
}

// checkTime bounds one check.
const checkTime = 4 * time.Minute

// runChecks runs what the command line names.
func runChecks([]string) { check.RunAll(registry, checkTime) }
