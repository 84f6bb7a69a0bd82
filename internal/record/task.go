// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

func (l *loader) task(value string) error {
	if len(l.snap.Tasks) == maxTasks {
		return errors.New("too many threads")
	}
	t := scan.Task{View: domainid.NoView}
	var state, reason, seccomp string
	var domain domainid.ID
	var noNewPrivs bool
	err := object(value,
		required("tid", integer(&t.TID, 1, 1<<31-1)),
		required("start_ns", decimal(&t.Start)),
		required("state", stateWord(&state)),
		required("reason", reasonWord(&reason)),
		required("depth", orNull(integer(&t.Depth, 0, 1<<16-1))),
		required("depth_exact", boolean(&t.DepthExact)),
		required("domain", orNull(identifier(&domain))),
		required("view_index", orNull(integer(&t.View, 0, maxTasks))),
		required("uid", integer(&t.UID, 0, 1<<32-1)),
		required("no_new_privs", boolean(&noNewPrivs)),
		required("seccomp", oneOf(&seccomp, "none", "strict", "filter")),
	)
	if err != nil {
		return err
	}
	if t.State, t.Reason, err = stateOf(state, reason); err != nil {
		return err
	}
	if domain != domainid.None && t.State != scan.Sandboxed {
		return fmt.Errorf("tid %d: it is %s, but in a domain", t.TID, t.State)
	}
	if (t.Depth > 0) != (t.State == scan.Sandboxed) {
		return fmt.Errorf("tid %d: it is %s at depth %d", t.TID, t.State, t.Depth)
	}
	switch seccomp {
	case "strict":
		t.Hardening = scan.SeccompStrict
	case "filter":
		t.Hardening = scan.SeccompFilter
	}
	if noNewPrivs {
		t.Hardening |= scan.NoNewPrivs
	}
	l.snap.Tasks = append(l.snap.Tasks, t)
	l.domains = append(l.domains, domain)
	return nil
}

func (l *loader) worker(value string) error {
	if len(l.snap.Workers) == maxTasks {
		return errors.New("too many workers")
	}
	var w scan.Worker
	var domains [2]domainid.ID
	err := object(value,
		required("tid", integer(&w.TID, 1, 1<<31-1)),
		required("start_ns", decimal(&w.Start)),
		required("real", place(&w.Real, &domains[0])),
		required("acting", place(&w.Acting, &domains[1])),
	)
	if err != nil {
		return err
	}
	if n := len(l.snap.Workers); n > int(l.firstWorker) && w.TID <= l.snap.Workers[n-1].TID {
		return fmt.Errorf("tid %d does not ascend", w.TID)
	}
	l.snap.Workers = append(l.snap.Workers, w)
	l.places = append(l.places, domains)
	return nil
}

// place reads where credentials are.
func place(to *scan.Place, domain *domainid.ID) reader {
	return func(value string) error {
		var state string
		err := object(value,
			required("state", stateWord(&state)),
			required("domain", orNull(identifier(domain))),
		)
		if err != nil {
			return err
		}
		to.State, _, err = stateOf(state, "")
		if err == nil && *domain != domainid.None && to.State != scan.Sandboxed {
			err = fmt.Errorf("it is %s, but in a domain", to.State)
		}
		return err
	}
}

func stateWord(to *string, more ...string) reader {
	return oneOf(to, append(more, "sandboxed", "unsandboxed", "unknown")...)
}

func reasonWord(to *string) reader {
	return orNull(choice(to, "denied", "hidden", "changing", "malformed"))
}

func stateOf(state, reason string) (scan.State, scan.Reason, error) {
	for _, s := range scan.States() {
		if s.String() != state {
			continue
		}
		if reason != "" && s != scan.Unknown {
			return 0, 0, fmt.Errorf("it is %s, but with a reason for %s", s, scan.Unknown)
		}
		for _, r := range scan.Reasons() {
			if r.String() == reason {
				return s, r, nil
			}
		}
		return s, scan.NoReason, nil
	}
	return 0, 0, fmt.Errorf("%.40q is no state", state)
}
