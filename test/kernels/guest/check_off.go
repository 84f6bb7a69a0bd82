// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"slices"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

// checkOff is for a boot without Landlock in lsm=: nothing can be sandboxed,
// and that is known, not unknown.
func checkOff(t *T) {
	if slices.Contains(modules(), "landlock") {
		t.Fatalf("landlock is among the enabled modules %v", modules())
	}
	if _, err := landlock.ABI(); !errors.Is(err, landlock.ErrDisabled) {
		t.Errorf("ABI says %v, want %v", err, landlock.ErrDisabled)
	}
	s := openIterator(t)
	if off := s.CredentialsOffset(); off != -1 {
		t.Errorf("an offset was found: %d", off)
	}
	child := startSleepers(t, 0, 1)[0]
	snap := scanOnce(t, s)
	if snap.Kernel.Landlock != scan.Disabled || snap.Kernel.ABI != 0 {
		t.Errorf("kernel is %+v, want Landlock disabled", snap.Kernel)
	}
	if len(snap.Domains) != 0 {
		t.Errorf("%d domains", len(snap.Domains))
	}
	if snap.Find(1) == nil || snap.Find(int32(child.pid)) == nil {
		t.Errorf("PID 1 or a child is missing among %d processes", len(snap.Processes))
	}
	for _, p := range snap.Processes {
		if p.State != scan.Unsandboxed {
			t.Errorf("process %d is %v (%v)", p.PID, p.State, p.Reason)
		}
	}
	// The daemon's filter is tried without, too: see the boot.
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil || bytes.Contains(maps, []byte("[vdso]")) {
		t.Errorf("there is a vDSO (%v)", err)
	}
}
