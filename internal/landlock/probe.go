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

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// ErrFiltered means that it is not known whether this kernel sandboxes anything. Many
// seccomp filters answer ENOSYS to system calls that they do not know.
var ErrFiltered = errors.New("landlock_create_ruleset(2) says that there is no Landlock, " +
	"and the seccomp filter that this process runs under may be why " +
	"(allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self in that filter)")

// Probe asks the kernel for its release and for Landlock: whether it has it, which
// rights and fixes, and, by trying, which ways past a right are open. It takes two
// threads, which end with it, and some milliseconds: it waits for connections a second
// at most. sysfs is where sysfs is mounted.
// A kernel without Landlock, or with Landlock not enabled, is no error: it is known
// to sandbox nothing. ErrFiltered is one.
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
		k.Rights = Rights()
		if k.Rights.Some() == access.No {
			return k, fmt.Errorf("landlock_create_ruleset(2) accepts no right, though its ABI is %d", k.ABI)
		}
		k.Errata, k.ErrataKnown = Errata()
		k.Ways, k.WaysUnknown = ways(k)
		return k, nil
	case errors.Is(err, ErrDisabled):
		k.Landlock = scan.Disabled
	case errors.Is(err, ErrNotBuilt):
		k.Landlock = scan.NotBuilt
	default:
		return k, err
	}
	// What a filter let through, or answered itself, cannot be believed if the list
	// contradicts it, or if there is none and it is an answer that filters give.
	list := listed(filepath.Join(sysfs, "kernel/security/lsm"))
	doubtful := list == access.Yes || list == access.Unknown && k.Landlock == scan.NotBuilt
	if doubtful && filtered() {
		return k, ErrFiltered
	}
	return k, nil
}

// listed reports whether Landlock is in the list of enabled security modules.
func listed(file string) access.Answer {
	text, err := os.ReadFile(file)
	modules := strings.Split(strings.TrimSpace(string(text)), ",")
	switch {
	case err != nil, modules[0] == "": // there is always one
		return access.Unknown
	case slices.Contains(modules, "landlock"):
		return access.Yes
	default:
		return access.No
	}
}

// filtered reports whether a seccomp filter stands between this process and the
// kernel, or may do so.
func filtered() bool {
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return mode != 0 || err != nil && !errors.Is(err, unix.EINVAL)
}
