// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// checkCapabilities returns which capability the calling thread lacks. The kernel
// itself only returns EPERM.
func checkCapabilities() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return failure(scan.Error{
			Reason: NoCapability, Missing: "this process's capabilities", Err: fmt.Errorf("capget(2): %w", err),
		})
	}
	has := func(c int) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	var missing []string
	if !has(unix.CAP_BPF) {
		missing = append(missing, "CAP_BPF")
	}
	if !has(unix.CAP_PERFMON) {
		missing = append(missing, "CAP_PERFMON")
	}
	if len(missing) == 0 || has(unix.CAP_SYS_ADMIN) { // which implies both
		return nil
	}
	return failure(scan.Error{
		Reason: NoCapability, Missing: "missing " + strings.Join(missing, " and "), Since: "5.8",
		Err: errors.New("permission denied"),
		Hint: "run as root, or give it: setcap cap_bpf,cap_perfmon+ep on a copy of the binary that only " +
			"its group may execute (mode 0750), or AmbientCapabilities=CAP_BPF CAP_PERFMON in its systemd unit",
	})
}
