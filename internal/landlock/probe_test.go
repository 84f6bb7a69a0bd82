// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// TestProbeFiltered: a filter's answer is not taken for the kernel's, unless the
// list of security modules shows the same.
func TestProbeFiltered(t *testing.T) {
	supportedHere(t)
	for _, c := range []struct {
		name    string
		errno   unix.Errno
		modules string // "" is no such file
		want    scan.Availability
		fails   error
	}{
		{"no list", unix.ENOSYS, "", scan.NotBuilt, ErrFiltered},
		{"a list without", unix.ENOSYS, "capability,yama", scan.NotBuilt, nil},
		{"a list with", unix.ENOSYS, "capability,landlock,yama", scan.NotBuilt, ErrFiltered},
		{"disabled, no list", unix.EOPNOTSUPP, "", scan.Disabled, nil},
		{"disabled, a list without", unix.EOPNOTSUPP, "capability,yama\n", scan.Disabled, nil},
		{"disabled, a list with", unix.EOPNOTSUPP, "capability,landlock\n", scan.Disabled, ErrFiltered},
		{"forbidden, no list", unix.EPERM, "", 0, unix.EPERM},
		{"forbidden, a list without", unix.EPERM, "capability,yama\n", 0, unix.EPERM},
		{"an empty list", unix.ENOSYS, "\n", scan.NotBuilt, ErrFiltered},
		{"forbidden, a list with", unix.EACCES, "capability,landlock\n", 0, unix.EACCES},
	} {
		t.Run(c.name, func(t *testing.T) {
			sysfs := t.TempDir()
			if c.modules != "" {
				dir := filepath.Join(sysfs, "kernel/security")
				if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "lsm"), []byte(c.modules), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			onThread(func() {
				if err := answer(c.errno); err != nil {
					t.Error(err)
					return
				}
				k, err := Probe(sysfs)
				if !errors.Is(err, c.fails) || c.fails == nil && k.Landlock != c.want {
					t.Errorf("Probe: %v, %v; want %v, %v", k.Landlock, err, c.want, c.fails)
				}
			})
		})
	}
}

func TestProbe(t *testing.T) {
	abi, _ := supportedHere(t)
	k, err := Probe("/sys")
	if err != nil || k.Landlock != scan.Enabled || k.ABI != abi || k.Release == "" || k.Rights != Rights() {
		t.Errorf("Probe: %+v, %v", k, err)
	}
}
