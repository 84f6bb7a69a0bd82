// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// answer makes every landlock_create_ruleset(2) of the calling thread fail.
func answer(errno unix.Errno) error {
	const load, jumpEqual, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load, K: 0}, // the system call's number
		{Code: jumpEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := NoNewPrivs(); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})), 0, 0)
}

// TestProbeFiltered: a filter's answer is not taken for the kernel's, unless the
// list of security modules says the same.
func TestProbeFiltered(t *testing.T) {
	supportedHere(t)
	for _, c := range []struct {
		name    string
		errno   unix.Errno
		modules string // "" is no such file
		want    scan.Availability
		doubt   bool
	}{
		{"no list", unix.ENOSYS, "", scan.NotBuilt, true},
		{"a list without", unix.ENOSYS, "capability,yama", scan.NotBuilt, false},
		{"a list with", unix.ENOSYS, "capability,landlock,yama", scan.NotBuilt, true},
		{"disabled, no list", unix.EOPNOTSUPP, "", scan.Disabled, false},
		{"disabled, a list without", unix.EOPNOTSUPP, "capability,yama\n", scan.Disabled, false},
		{"disabled, a list with", unix.EOPNOTSUPP, "capability,landlock\n", scan.Disabled, true},
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
				if errors.Is(err, ErrFiltered) != c.doubt || !c.doubt && err != nil {
					t.Errorf("Probe: %v; in doubt: want %t", err, c.doubt)
				}
				if !c.doubt && k.Landlock != c.want {
					t.Errorf("Probe: %v, want %v", k.Landlock, c.want)
				}
			})
		})
	}
}

func TestProbe(t *testing.T) {
	abi, _ := supportedHere(t)
	k, err := Probe("/sys")
	if err != nil || k.Landlock != scan.Enabled || k.ABI != abi || k.Release == "" {
		t.Errorf("Probe: %+v, %v", k, err)
	}
}
