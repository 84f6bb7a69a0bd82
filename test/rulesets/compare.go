// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"fmt"
	"reflect"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Compare returns where a snapshot differs from what is known of the task of a
// process that is in a sandbox. It is called in the place that the sandbox
// was made in: with the same root directory and the same mounts.
func Compare(s sandbox.Sandbox, snap *scan.Snapshot, pid, tid int32, abi int) []error {
	var errs []error
	wrong := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	p := snap.Find(pid)
	if p == nil {
		return []error{fmt.Errorf("process %d is not in the snapshot", pid)}
	}
	at, view := domainid.Outermost, domainid.NoView
	found := false
	for _, t := range snap.TasksOf(p) {
		if t.TID == tid {
			found, at, view = true, t.Domain, t.View
		}
	}
	if !found || at == domainid.Outermost {
		return []error{fmt.Errorf("task %d: found %v, in no domain that is known", tid, found)}
	}
	meaning := snap.Meaning().Task(at, view, 0, false)
	if got, want := meaning.Restricts, access.Exactly(Restricted(s, abi)); got != want || meaning.Doubt != 0 {
		wrong("it restricts %+v (in doubt: %v), want %+v", got, meaning.Doubt.Words(), want)
	}
	for level := len(s); level > 0; level-- {
		if at == domainid.Outermost {
			wrong("the chain of domains ends %d short", level)
			break
		}
		d := &snap.Domains[at]
		l := &s[level-1]
		want, err := rulesOf(l)
		if err != nil {
			wrong("%w", err)
			break
		}
		handled := access.Implied(l.Handled, abi)
		switch {
		case int(d.Depth) != level || d.Handled != handled:
			wrong("layer %d: depth %d, handles %+v, want %+v", level, d.Depth, d.Handled, handled)
		case d.Ruleset == nil:
			wrong("layer %d: its rules were not read", level)
		case !reflect.DeepEqual(d.Ruleset, want):
			wrong("layer %d: rules\n%+v, want\n%+v", level, *d.Ruleset, *want)
		}
		at = d.Parent
	}
	if len(errs) == 0 && at != domainid.Outermost {
		wrong("the chain of domains goes on")
	}
	return errs
}
