// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// checkLockdown is for a boot with lockdown=confidentiality: the source must
// say that this is why it cannot work, and leave nothing behind.
func checkLockdown(t *T) {
	state := firstLine("/sys/kernel/security/lockdown")
	if !strings.Contains(state, "[confidentiality]") {
		t.Fatalf("lockdown is %q", state)
	}
	e := refused(t, "under lockdown", taskiter.Options{})
	t.Fact("error", e.Error())
	if e.Reason != taskiter.Lockdown {
		t.Errorf("taskiter.Open: %s; want reason %q", explain(e), taskiter.Lockdown)
	}
	// Where securityfs is hidden, loading itself must fail, with a reason.
	e = refused(t, "under lockdown, unseen", taskiter.Options{SysFS: "/nonexistent"})
	if e.Reason == "" || e.Hint == "" {
		t.Errorf("taskiter.Open without securityfs: %s; want a reason and a hint", explain(e))
	} else {
		t.Fact("unseen", e.Reason+": "+e.Missing)
	}
}

// refused opens the task iterator where that must fail, and returns why it does.
func refused(t *T, where string, opts taskiter.Options) *scan.Error {
	s, err := taskiter.Open(opts)
	if err == nil {
		s.Close()
		t.Fatalf("taskiter.Open succeeds %s", where)
	}
	var e *scan.Error
	if !errors.As(err, &e) {
		t.Fatalf("taskiter.Open %s: %s; want a reason", where, explain(err))
	}
	return e
}
