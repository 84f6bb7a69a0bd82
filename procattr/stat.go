// SPDX-License-Identifier: Apache-2.0

package procattr

import "github.com/landlockd/landlockd/internal/procdir"

// Flags in /proc/[pid]/stat: PF_* of the kernel's linux/sched.h.
const (
	pfIOWorker   = 0x10
	pfUserWorker = 0x4000
	pfKthread    = 0x200000
)

// stat is what one read of /proc/[pid]/stat or of a thread's gives. Its start is as the
// host counts, where a reader returns it.
type stat = procdir.Stat
