// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/kernels/protocol"
)

// check is one named check. It runs on a goroutine of its own.
type check func(*T)

// registry has every check that a guest can run. To add one, write a function
// in a file of its own, name it here, and name it in a boot of the matrix
// (../matrix/boots.go).
var registry = map[string]check{
	"report":   checkReport,
	"scan":     checkScan,
	"truth":    checkTruth,
	"churn":    checkChurn,
	"ids":      checkIDs,
	"caps":     checkCaps,
	"handoff":  checkHandoff,
	"order":    checkOrder,
	"off":      checkOff,
	"lockdown": checkLockdown,
	"noattr":   checkNoAttr,
	"attr":     checkAttr,
	"attroff":  checkAttrOff,
	"procattr": checkProcAttr,
	"same":     checkSame,
	"both":     checkBoth,
	"daemon":   checkDaemon,
	"kernel":   checkKernel,
}

// runChecks runs what the command line names, one after the other.
func runChecks([]string) {
	wanted, err := checksWanted()
	if err != nil {
		emit(protocol.Line{Kind: protocol.Log, Check: "init", Text: err.Error()})
		return
	}
	for _, w := range wanted {
		words := strings.Split(w, ":")
		run(words[0], words[1:])
	}
	emit(protocol.Line{Kind: protocol.Done, Key: strconv.Itoa(len(wanted))})
}

// checkTime bounds one check: the rest of the boot's checks still run.
const checkTime = 4 * time.Minute

func run(name string, args []string) {
	emit(protocol.Line{Kind: protocol.Begin, Check: name})
	t := &T{name: name, args: args, done: make(chan struct{})}
	began := time.Now()
	go t.run(registry[name])
	select {
	case <-t.done:
	case <-time.After(checkTime):
		t.failure("still running after " + checkTime.String())
	}
	t.Fact("seconds", fmt.Sprintf("%.2f", time.Since(began).Seconds()))
	status, text := t.outcome()
	emit(protocol.Line{Kind: protocol.Result, Check: name, Key: string(status), Text: text})
}

// run runs the check to its end, however it ends.
func (t *T) run(c check) {
	defer close(t.done)
	defer t.cleanUp()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if c == nil {
		t.Fatalf("this guest has no check of that name")
	}
	c(t)
}
