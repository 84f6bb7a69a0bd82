// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// ErrFiltered tells that it is not known whether this kernel sandboxes anything. Many
// seccomp filters answer ENOSYS to system calls that they do not know.
var ErrFiltered = errors.New("landlock_create_ruleset(2) says that there is no Landlock, and the seccomp filter that this process runs under may be why " +
	"(allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self in that filter)")

// Probe asks the kernel for its release and for Landlock; sysfs is where sysfs is
// mounted. A kernel without Landlock, or with Landlock not enabled, is no error: it
// is known to sandbox nothing. ErrFiltered is one.
func Probe(sysfs string) (scan.Kernel, error) {
	var k scan.Kernel
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return k, fmt.Errorf("uname(2): %w", err)
	}
	k.Release = unix.ByteSliceToString(u.Release[:])
	var err error
	k.ABI, err = ABI()
	switch {
	case err == nil:
		k.Landlock = scan.Enabled
		return k, nil
	case errors.Is(err, ErrDisabled):
		k.Landlock = scan.Disabled
	case errors.Is(err, ErrNotBuilt):
		k.Landlock = scan.NotBuilt
	default:
		return k, err
	}
	if filtered() && doubtful(k.Landlock, filepath.Join(sysfs, "kernel/security/lsm")) {
		return k, ErrFiltered
	}
	return k, nil
}

// doubtful says whether what a filter let through, or answered itself, cannot be
// believed: the list of enabled security modules contradicts it, or there is no
// such list and the answer is one that filters give.
func doubtful(said scan.Availability, list string) bool {
	modules, err := os.ReadFile(list)
	if err != nil {
		return said == scan.NotBuilt
	}
	return slices.Contains(strings.Split(strings.TrimSpace(string(modules)), ","), "landlock")
}

// filtered says whether a seccomp filter stands between this process and the
// kernel, or may do so.
func filtered() bool {
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return mode != 0 || err != nil && !errors.Is(err, unix.EINVAL)
}
