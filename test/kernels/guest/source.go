// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// shared is the source that checks use one after the other: to open one takes
// seconds in a guest, most of them in the kernel's verifier.
var shared *taskiter.Source

// openIterator returns the source that is checked, and states what it found.
func openIterator(t *T) *taskiter.Source {
	if shared == nil {
		began := time.Now()
		shared = openAnother(t)
		t.Fact("open_seconds", fmt.Sprintf("%.2f", time.Since(began).Seconds()))
		t.Fact("offset", shared.CredentialsOffset())
		info := shared.Info()
		t.Fact("info", fmt.Sprintf("ids=%s lineage=%s rules=%s denials=%s pidns=%s",
			info.IDs, info.Lineage, info.Rules, info.Denials, info.PIDNS))
		if newer := shared.Newer(); len(newer) > 0 {
			t.Errorf("%q are not known to taskiter/newer.go: do they have a domain deny less?", newer)
		}
	}
	return shared
}

// openAnother opens a source of the check's own.
func openAnother(t *T) *taskiter.Source {
	s, err := taskiter.Open(taskiter.Options{RuleTime: time.Minute})
	if err != nil {
		t.Fatalf("taskiter.Open: %s", explain(err))
	}
	return s
}

// scanOnce makes a scan or ends the check.
func scanOnce(t *T, s scan.Source) *scan.Snapshot {
	snap, err := s.Scan(context.Background())
	if err != nil {
		t.Fatalf("scan: %s", explain(err))
	}
	return snap
}

// explain returns an error with the verifier's log, if there is one, whole.
func explain(err error) string {
	text := err.Error()
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) {
		text += fmt.Sprintf("\nverifier: %+v", verifier)
	}
	return text
}
