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
	s, err := taskiter.Open(taskiter.Options{})
	if err == nil {
		s.Close()
		t.Fatalf("taskiter.Open succeeds under lockdown")
	}
	t.Fact("error", err.Error())
	var e *scan.Error
	if !errors.As(err, &e) || e.Reason != taskiter.Lockdown {
		t.Errorf("taskiter.Open: %s; want reason %q", explain(err), taskiter.Lockdown)
	}
	// Where securityfs is hidden, loading itself must fail, with a reason.
	s, err = taskiter.Open(taskiter.Options{SysFS: "/nonexistent"})
	if err == nil {
		s.Close()
		t.Fatalf("taskiter.Open succeeds under lockdown, unseen")
	}
	if !errors.As(err, &e) || e.Reason == "" || e.Hint == "" {
		t.Errorf("taskiter.Open without securityfs: %s; want a reason and a hint", explain(err))
	} else {
		t.Fact("unseen", e.Reason+": "+e.Missing)
	}
}
