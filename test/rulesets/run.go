// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Resident is a thread that stays in a sandbox.
type Resident struct {
	TID     int32
	Sandbox sandbox.Sandbox
	ask     chan func()
	wait    func()
}

// Settle starts a thread that enters a sandbox and stays in it until Leave.
func Settle(s sandbox.Sandbox) (*Resident, error) {
	return SettleIn(s, func() error { return nil })
}

// SettleIn does the same for a thread that does something before.
func SettleIn(s sandbox.Sandbox, before func() error) (*Resident, error) {
	r := &Resident{Sandbox: s, ask: make(chan func())}
	ready := make(chan error, 1)
	r.wait = thread.Run(func() {
		r.TID = int32(unix.Gettid())
		err := before()
		if err == nil {
			err = s.Enter()
		}
		ready <- err
		for f := range r.ask {
			f()
		}
	})
	if err := <-ready; err != nil {
		r.Leave()
		return nil, fmt.Errorf("sandbox of %d layers: %w", len(s), err)
	}
	return r, nil
}

// Compare returns where a snapshot differs from what is known of the thread; see
// [Compare].
func (r *Resident) Compare(snap *scan.Snapshot, abi int) []error {
	return Compare(r.Sandbox, snap, int32(os.Getpid()), r.TID, abi)
}

// Try has the thread try what it may do; see [Try].
func (r *Resident) Try(site *Site, n int, ports []uint16) []error {
	done := make(chan []error)
	r.ask <- func() { done <- Try(r.Sandbox, site, n, ports) }
	return <-done
}

// Do has the thread do something.
func (r *Resident) Do(f func() error) error {
	done := make(chan error)
	r.ask <- func() { done <- f() }
	return <-done
}

// Leave ends the thread, and its domains with it.
func (r *Resident) Leave() {
	close(r.ask)
	r.wait()
}
